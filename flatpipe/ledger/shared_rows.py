"""Records of palettes that images share, and of the sums of colours that they are found in: wanted, made, kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flatpipe.records import Failure, ImageSource
from flatpipe.settings import GivenPalette

FAILED = "failed"
# ^ `content` of an image whose colours cannot be counted


class CountedImage(NamedTuple):
    """An image whose colours are in a sum."""

    size: int
    stamp: str
    content: str
    # ^ sha256 of the file, or FAILED


class StoredSum(NamedTuple):
    """A sum of colours, as a file."""

    key: str
    # ^ a digest of what was added up, and how
    sha256: str
    bytes: int


def part_key(contents: Sequence[str], how: str) -> str:
    """The key of the sum of images with these contents, in the order of their ids, counted as `how` says."""
    return _key("part", how, *contents)


def sum_key(keys: Sequence[str]) -> str:
    """The key of the sum of sums."""
    return _key("sum", *keys)


def _key(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


class SharedPalette(NamedTuple):
    """The palette of a group of images for one k."""

    group: str
    k: int
    settings: str
    # ^ digest of the choices under which it was found
    root: str
    # ^ key of the sum of colours in which it was found
    digest: str
    colors: tuple[str, ...]
    # ^ "#rrggbb", row by row
    weights: tuple[int, ...]
    # ^ how much of the group's colours each is nearest to
    mse: float
    # ^ of the group's colours
    images: int

    @property
    def given(self) -> GivenPalette:
        """The palette as the group's images get it."""
        return GivenPalette(self.k, self.colors, self.digest)


@dataclass(frozen=True, slots=True)
class SumResult:
    """What became of a sum: the file, and of which images it is; or why there is none."""

    stored: StoredSum | None = None
    images: tuple[tuple[ImageSource, str], ...] = ()
    # ^ with the content of each, FAILED where it could not be decoded; of a sum of images alone
    damaged: tuple[str, ...] = ()
    # ^ keys of sums that were to be added and must be made again
    failure: Failure | None = None
    # ^ the output cannot be written, or the run was stopped


@dataclass(frozen=True, slots=True)
class WantedPalette:
    """A palette that is to be found."""

    group: str
    k: int
    settings: str
    # ^ digest of the choices that it is recorded under
    root: StoredSum
    images: int


@dataclass(frozen=True, slots=True)
class PaletteResult:
    """What became of it."""

    wanted: WantedPalette
    palette: SharedPalette | None = None
    files: tuple[tuple[str, str, int], ...] = ()
    # ^ what was written: name below the output root, sha256, bytes
    damaged: str = ""
    # ^ key of the sum, when it must be made again
    failure: Failure | None = None
