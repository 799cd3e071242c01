"""Records that a ledger answers with. Where millions of them are read, they are tuples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from flatpipe.records import Failure, ImageSource


class KnownOutput(NamedTuple):
    """Of what an output was made, and how large it is. A tuple, because a plan reads millions of them."""

    settings: str
    content: str
    bytes: int
    # ^ of a flat without a file 0
    palettes_bytes: int = 0
    # ^ of a sweep: size of the palettes.json beside it
    metrics: str = "{}"
    # ^ of a flat: JSON of the costly measures that were taken of it
    files: str = "{}"
    # ^ of a sweep: JSON of all its files by name, each with its size; with its digest where no size was recorded
    given: str = ""
    # ^ digest of the palette, or of all palettes, that it shares with other images; "": it has its own


class SettledImage(NamedTuple):
    """An image that lacks nothing by the ledger, and how large its files must be for that to be true."""

    size: int
    stamp: str
    pictures: str
    # ^ JSON: size of each of the report's pictures by name
    sweep_bytes: dict[str, int]
    # ^ by the names of the files that are made of all k together, in the image's folder
    flat_bytes: dict[str, int]
    # ^ by k, in digits; 0 where there is no file
    flat_given: dict[str, str]
    # ^ digest of the palette that each shares with other images, by k; empty when none does
    sweep_given: str
    part: str
    # ^ of the input, in the words of storage/archives


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What the ledger knows of one image and its outputs."""

    source: ImageSource
    content: str
    flats: dict[int, KnownOutput]
    # ^ by k
    sweep: KnownOutput | None


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run as it was recorded when it began, and when it ended."""

    run_id: str
    started: str
    # ^ UTC
    finished: str | None
    state: str
    # ^ "running", "finished", or why it ended early
    config: str
    # ^ JSON


class PartRun(NamedTuple):
    """Of a run that does a part of an input: which, of what, and how."""

    part: str
    # ^ "2/8"
    images: int
    # ^ of the whole input
    listing: str
    # ^ digest of their ids
    settings: str
    # ^ digest of the choices that all outputs of an image depend on
    versions: str
    # ^ digest of the versions that can change a byte
    planned: float
    # ^ when, in seconds since 1970


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run's work is."""

    began: float = 0.0
    # ^ seconds since 1970, as `updated`
    updated: float = 0.0
    images: int = 0
    # ^ due when work began, as `pairs`
    pairs: int = 0
    done: int = 0
    failed: int = 0
    pairs_done: int = 0


@dataclass(frozen=True, slots=True)
class RecordedFailure:
    """An image that failed, and has not succeeded since."""

    image_id: str
    path: str
    failure: Failure
    run_id: str


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """The input of an image of the plan."""

    source: ImageSource
    reason: str
    # ^ why the image is due, or set aside
    content: str
    # ^ sha256; "" when the file is not, or not surely, the one that was read


@dataclass(frozen=True, slots=True)
class PlannedCounts:
    """The plan of the last run in numbers."""

    images: int
    current: int
    # ^ up to date when it was made
    not_selected: int
    # ^ not up to date, and left so


@dataclass(frozen=True, slots=True)
class OutputRatios:
    """Bytes of output for each byte of input, over all that was ever recorded; None where there is nothing."""

    flat: float | None
    # ^ of one flat image
    sweep: float | None
    # ^ of the animation and palettes.json


class FlatFile(NamedTuple):
    """A flat image as it was written, valid or not."""

    image_id: str
    k: int
    sha256: str


class SweepFile(NamedTuple):
    """A file of all k together as it was written, valid or not."""

    image_id: str
    name: str
    # ^ as `layout.sweep_file` takes it
    sha256: str


class BesideFile(NamedTuple):
    """A file that stands beside the images: a table, a page, a script of the report."""

    name: str
    # ^ below the output root
    sha256: str
    bytes: int


class RetiredFile(NamedTuple):
    """A file that an output once was, and no longer is."""

    name: str
    # ^ below the output root
    sha256: str
