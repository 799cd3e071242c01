"""Records as rows of the ledger, and back.

Names that are not valid UTF-8 are stored as BLOBs of their bytes; all others as TEXT.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flatpipe.records import Failure, FlattenResult, ImageSource, LoadToken, PlannedImage, Row, SweepResult
from flatpipe.settings import GivenPalette

INVALID = "disputed"
# ^ `settings` of an output that `flatpipe verify` found changed: the next run makes it again


@dataclass(frozen=True)
class Table:
    """A table of the ledger with its columns, in the order in which rows have them."""

    name: str
    columns: tuple[str, ...]

    @cached_property
    def insert(self) -> str:
        """The statement that puts a row there, or in the place of the one with its key."""
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT OR REPLACE INTO {self.name} ({', '.join(self.columns)}) VALUES ({marks})"

    @cached_property
    def select(self) -> str:
        """The beginning of a query for whole rows."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name}"

    def value(self, row: Row, column: str) -> Any:
        """What a row has in a column."""
        return row[self.columns.index(column)]


SOURCE = ("image_id", "path", "size", "stamp", "frame", "part")
IMAGES = Table("images", (*SOURCE, "content", "width", "height", "distinct_colors", "notes", "seconds"))
FLATS = Table(
    "flats",
    (
        *("image_id", "k", "settings", "content", "n_colors", "mse", "palette", "weights"),
        *("bytes", "sha256", "seconds", "metrics", "given"),
    ),
)
SWEEPS = Table(
    "sweeps",
    (
        *("image_id", "settings", "content", "animation_bytes", "animation_sha256"),
        *("palettes_bytes", "palettes_sha256", "seconds", "files", "sizes", "pictures", "given"),
    ),
)
PLANNED = Table("planned", (*SOURCE, "ks", "sweep", "reason", "grp", "same_as"))
FAILURES = Table("failures", ("image_id", "path", "stage", "error", "message", "run_id"))


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


def ledger_order(name: str) -> tuple[bool, bytes]:
    """What sorts names as the ledger does: texts by their bytes, then those that are not valid UTF-8."""
    stored = to_sql(name)
    return isinstance(stored, bytes), stored if isinstance(stored, bytes) else stored.encode()


def place_row(source: ImageSource) -> Row:
    """The columns of SOURCE: an image, and where it lies."""
    return (to_sql(source.image_id), to_sql(source.path), source.size, source.stamp, source.frame, source.part)


def source_of(row: Sequence[Any]) -> ImageSource:
    """The ImageSource of the columns of SOURCE."""
    return ImageSource(from_sql(row[0]), from_sql(row[1]), *row[2:])


def planned_row(image: PlannedImage) -> Row:
    """A row of `planned`."""
    source, ks = image.source, ",".join(map(str, image.ks))
    return (
        *place_row(source),
        ks,
        int(image.sweep),
        image.reason,
        None if image.group is None else to_sql(image.group),
        to_sql(image.same_as),
    )


def planned_of(row: tuple[Any, ...]) -> PlannedImage:
    """The PlannedImage of a row of `planned`."""
    ks, group = tuple(int(k) for k in row[6].split(",") if k), None if row[9] is None else from_sql(row[9])
    return PlannedImage(source_of(row[:6]), ks, bool(row[7]), row[8], group, from_sql(row[10]))


def image_row(source: ImageSource, token: LoadToken) -> Row:
    """A row of `images`: a file as it was read, and what decoding it told."""
    shape = (token.content, token.width, token.height, token.distinct_colors)
    return (*place_row(source), *shape, json.dumps(token.notes), token.seconds)


def flat_row(flat: FlattenResult, settings: str, content: str, given: str = "") -> Row:
    """A row of `flats`, with the digests of what it was made of: settings, content, a palette that was given."""
    palette, weights = " ".join(flat.palette), " ".join(map(str, flat.weights))
    key, metrics = (to_sql(flat.image_id), flat.k, settings, content), json.dumps(dict(flat.metrics))
    return (*key, flat.n_colors, flat.mse, palette, weights, flat.bytes, flat.sha256, flat.seconds, metrics, given)


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


def sweep_row(sweep: SweepResult, settings: str, content: str, given: str = "") -> Row:
    """A row of `sweeps`, with the digests of what it was made of: settings, content, palettes that were given."""
    animation = (sweep.animation_bytes, sweep.animation_sha256)
    palettes = (sweep.palettes_bytes, sweep.palettes_sha256)
    own = [size for size in sweep.sizes if "/" not in size[0]]
    pictures = [size for size in sweep.sizes if "/" in size[0]]
    made = (json.dumps(dict(pairs), separators=(",", ":")) for pairs in (sweep.files, own, pictures))
    return (to_sql(sweep.image_id), settings, content, *animation, *palettes, sweep.seconds, *made, given)


def failure_row(source: ImageSource, failure: Failure, run_id: str) -> Row:
    """A row of `failures`: why an image has no (complete) result."""
    named = (to_sql(source.image_id), to_sql(source.path))
    return (*named, failure.stage, failure.error, failure.message, run_id)


def files_of(files: str) -> tuple[tuple[str, str], ...]:
    """The (name, sha256) of `sweeps.files`."""
    return tuple(json.loads(files).items())


def given_digests(given: tuple[GivenPalette, ...]) -> dict[str, str]:
    """The digests of palettes by k, in digits."""
    return {str(palette.k): palette.digest for palette in given}


def recorded_given(given: tuple[GivenPalette, ...]) -> str:
    """The same as a ledger has it of an image's sweep: JSON, or "" of none."""
    return json.dumps(given_digests(given)) if given else ""
