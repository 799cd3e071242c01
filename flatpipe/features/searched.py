"""What a search looks through: one row of each image, or those of one k, from the ledger or from features.parquet."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from flatpipe.environment import missing_parquet
from flatpipe.errors import ConfigError
from flatpipe.features.color_lists import ColorLists, color_lists, lists_of
from flatpipe.features.rows import feature_rows
from flatpipe.ledger.results import Results
from flatpipe.settings import TaskSettings
from flatpipe.text import counted

_ROWS_AT_ONCE = 1 << 13
_COLUMNS = ("image", "image_bytes", "k", "palette", "shares", "suggested", "file")


@dataclass(frozen=True, slots=True)
class SearchedRow:
    """The flat image that a palette is of."""

    image: str
    k: int
    file: str | None
    # ^ below the output folder; None where none is written


@dataclass(frozen=True, slots=True)
class SearchedRows:
    """Some rows, with their palettes."""

    lists: ColorLists
    row: Callable[[int], SearchedRow]


def rows_of_ledger(results: Results, settings: TaskSettings, k: int | None) -> Iterator[SearchedRows]:
    """The rows of one k, or of each image's suggested k with None, in the order of image ids."""
    every = feature_rows(results, settings)
    rows = (one for one in every if (one.is_suggested if k is None else one.flat.k == k))
    while page := tuple(itertools.islice(rows, _ROWS_AT_ONCE)):
        lists = color_lists([one.flat.palette for one in page], [one.flat.weights for one in page])

        def row(number: int, page: tuple[Any, ...] = page) -> SearchedRow:
            part, flat, file = page[number].part, page[number].flat, page[number].file
            return SearchedRow(_id_of(part.image, part.image_bytes), flat.k, file)

        yield SearchedRows(lists, row)


def rows_of_file(path: str, place: str, k: int | None) -> Iterator[SearchedRows]:
    """The same of a features.parquet, which messages call `place`; raises ConfigError when it is none."""
    if missing := missing_parquet(place):
        raise ConfigError(missing)
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            if lacking := [name for name in _COLUMNS if name not in file.schema_arrow.names]:
                words = counted(len(lacking), "column")
                raise ConfigError(f"{place}: this is no features.parquet: {words} not there: {', '.join(lacking)}")
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(_COLUMNS)):
                yield _searched(batch, k)
    except (pyarrow.ArrowException, ValueError, OSError) as error:
        raise ConfigError(f"{place}: it cannot be read as features.parquet: {error}") from error


def _searched(batch: Any, k: int | None) -> SearchedRows:
    """The rows of a batch of the file that are looked through."""
    from pyarrow import compute

    wanted = batch.column("suggested") if k is None else compute.equal(batch.column("k"), k)
    rows = batch.filter(wanted)
    palettes, shares = rows.column("palette"), rows.column("shares")
    counts = compute.fill_null(compute.list_value_length(palettes), 0).to_numpy(zero_copy_only=False)
    colors = "".join(palettes.flatten().to_pylist()).replace("#", "")
    lists = lists_of(colors, counts, np.asarray(shares.flatten(), np.float32))

    def row(number: int) -> SearchedRow:
        image, content, found, file = (
            rows.column(name)[number].as_py() for name in ("image", "image_bytes", "k", "file")
        )
        return SearchedRow(_id_of(image, content), found, file)

    return SearchedRows(lists, row)


def _id_of(image: str, content: bytes | None) -> str:
    return image if content is None else os.fsdecode(content)
