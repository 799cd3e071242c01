"""features.parquet: the colours of every flat image as a table."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable

from flatpipe import layout
from flatpipe.features.names import NearestNames
from flatpipe.features.rows import FeatureRow, feature_rows
from flatpipe.features.table import REPEATED, arrow_batch, arrow_schema
from flatpipe.ledger.results import Results
from flatpipe.settings import TaskSettings
from flatpipe.storage.roots import Files

ROWS_PER_GROUP = 1 << 14
# ^ rows that are held, and that a reader may pass over, together


def write_features(results: Results, outputs: Files, settings: TaskSettings) -> None:
    """Put the table in place, whole or not at all, a group of rows at a time; raises OSError.

    Equal results give equal bytes, with one version of pyarrow.
    """
    with tempfile.TemporaryDirectory(prefix="flatpipe-") as folder:
        path = f"{folder}/{layout.FEATURES}"
        _write(path, feature_rows(results, settings), NearestNames(settings.named))
        outputs.store(layout.FEATURES, path)


def _write(path: str, rows: Iterable[FeatureRow], names: NearestNames) -> None:
    from pyarrow.parquet import ParquetWriter

    remaining = iter(rows)
    with ParquetWriter(path, arrow_schema(), compression="zstd", use_dictionary=REPEATED) as file:
        while group := list(itertools.islice(remaining, ROWS_PER_GROUP)):
            file.write_batch(arrow_batch(group, names), row_group_size=ROWS_PER_GROUP)
