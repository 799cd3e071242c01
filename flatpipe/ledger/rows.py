"""Records as rows of the ledger, and back.

Names that are not valid UTF-8 are stored as BLOBs of their bytes; all others as TEXT.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, NamedTuple

from flatpipe.records import FlattenResult, ImageSource, PlannedImage, SweepResult


class KnownOutput(NamedTuple):
    """Of what an output was made, and how large it is. A tuple, because a plan reads millions of them."""

    settings: str
    content: str
    bytes: int
    palettes_bytes: int = 0
    # ^ of a sweep: size of the palettes.json beside it
    metrics: str = "{}"
    # ^ of a flat: JSON of the costly measures that were taken of it


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What the ledger knows of one image and its outputs."""

    source: ImageSource
    content: str
    flats: dict[int, KnownOutput]
    # ^ by k
    sweep: KnownOutput | None


def to_sql(name: str) -> str | bytes:
    """A name as SQLite stores it: TEXT, or a BLOB where it is not valid UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def from_sql(name: str | bytes) -> str:
    """A stored name as a str, undecodable bytes escaped as Python does for file names."""
    return os.fsdecode(name) if isinstance(name, bytes) else name


def planned_row(image: PlannedImage) -> tuple[Any, ...]:
    """A row of `planned`."""
    source, ks = image.source, ",".join(map(str, image.ks))
    place = (to_sql(source.image_id), to_sql(source.path), source.size, source.stamp, source.frame)
    return (*place, ks, int(image.sweep), image.reason)


def planned_of(row: tuple[Any, ...]) -> PlannedImage:
    """The PlannedImage of a row of `planned`."""
    source = ImageSource(from_sql(row[0]), from_sql(row[1]), *row[2:5])
    return PlannedImage(source, tuple(int(k) for k in row[5].split(",") if k), bool(row[6]), row[7])


def flat_row(flat: FlattenResult, settings: str, content: str) -> tuple[Any, ...]:
    """A row of `flats`, with the settings digest and content digest it was made of."""
    palette, weights = " ".join(flat.palette), " ".join(map(str, flat.weights))
    key, metrics = (to_sql(flat.image_id), flat.k, settings, content), json.dumps(dict(flat.metrics))
    return (*key, flat.n_colors, flat.mse, palette, weights, flat.bytes, flat.sha256, flat.seconds, metrics)


def flat_of(row: tuple[Any, ...]) -> FlattenResult:
    """The FlattenResult of a row of `flats`."""
    return FlattenResult(
        image_id=from_sql(row[0]),
        k=row[1],
        n_colors=row[4],
        mse=row[5],
        palette=tuple(row[6].split()),
        weights=tuple(int(weight) for weight in row[7].split()),
        bytes=row[8],
        sha256=row[9],
        seconds=row[10],
        metrics=tuple(json.loads(row[11]).items()),
    )


def sweep_row(sweep: SweepResult, settings: str, content: str) -> tuple[Any, ...]:
    """A row of `sweeps`, with the settings digest and content digest it was made of."""
    animation = (sweep.animation_bytes, sweep.animation_sha256)
    palettes = (sweep.palettes_bytes, sweep.palettes_sha256)
    return (to_sql(sweep.image_id), settings, content, *animation, *palettes, sweep.seconds, files_json(sweep))


def files_json(sweep: SweepResult) -> str:
    """The files of a sweep by name, as `sweeps.files` holds them."""
    return json.dumps(dict(sweep.files), separators=(",", ":"))
