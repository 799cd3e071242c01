"""results.csv and the other tables from the ledger, for the images of the current run."""

from __future__ import annotations

import hashlib
import itertools
from typing import get_args

from flatpipe import layout
from flatpipe.features.rows import before_names, metrics_of, suggestion_of
from flatpipe.features.table import COLUMNS
from flatpipe.features.writing import ROWS_PER_GROUP, write_features
from flatpipe.ledger.answers import RecordedFailure
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import ImageResults, Results, ValidFlat
from flatpipe.quantize.knee import psnr
from flatpipe.quantize.options import CostlyMetric, Metric
from flatpipe.report.color_rows import COLOR_COLUMNS, ColorRows, has_common_colors
from flatpipe.report.csv_text import csv_line, quoted
from flatpipe.settings import TaskSettings
from flatpipe.storage.roots import Files
from flatpipe.text import cell, printable
from flatpipe.versions import __version__

RESULT_COLUMNS = (
    *("image", "k", "n_colors", *get_args(Metric), "file", "bytes", "sha256"),
    *("width", "height", "distinct_colors", "seconds", "suggested", "notes"),
)
FAILURE_COLUMNS = ("image", "stage", "error", "message", "path")
_NO_VALUES = "," * (len(get_args(CostlyMetric)) - 1)


def table_names(settings: TaskSettings) -> tuple[str, ...]:
    """The tables that a run writes, and the digest of what it wrote them from."""
    return (*_tables(settings), layout.TABLES)


def write_tables(
    ledger: Ledger, results: Results, outputs: Files, settings: TaskSettings, *, anew: bool = False
) -> bool:
    """Write all tables whole when what they tell has changed, or `anew`; True when they were written. Raises OSError.

    Rows are in the order of image ids, then k. A table that is no longer asked for is removed.
    """
    told = hashlib.sha256(f"{_shape(settings)} {results.state()}".encode()).hexdigest()
    if not anew and _read(outputs) == _stated(told, outputs, settings):
        return False
    outputs.remove(layout.TABLES)
    # ^ until all are there it would not be true
    rows = (_result_lines(image, settings) for image in results.images())
    outputs.write_lines(layout.RESULTS, itertools.chain((csv_line(RESULT_COLUMNS),), rows))
    failures = (csv_line(_failure_row(failed)) for failed in ledger.failures())
    outputs.write_lines(layout.FAILURES, itertools.chain((csv_line(FAILURE_COLUMNS),), failures))
    if has_common_colors(settings):
        outputs.write_lines(layout.COLORS, ColorRows(settings).lines(results))
    if settings.features:
        write_features(results, outputs, settings)
    for name in _no_longer_wanted(ledger, settings):
        outputs.remove(name)
    outputs.write(layout.TABLES, _stated(told, outputs, settings).encode())
    return True


def _tables(settings: TaskSettings) -> tuple[str, ...]:
    asked = {layout.COLORS: has_common_colors(settings), layout.FEATURES: settings.features}
    return (layout.RESULTS, layout.FAILURES, *(name for name, is_asked in asked.items() if is_asked))


def _no_longer_wanted(ledger: Ledger, settings: TaskSettings) -> list[str]:
    """The tables that an earlier run wrote, and this one is not asked for."""
    others = {layout.COLORS, layout.FEATURES}.difference(_tables(settings))
    return [file.name for file in ledger.beside_files() if file.name in others]


def _shape(settings: TaskSettings) -> str:
    """What the tables look like, whatever the images."""
    shape = f"{__version__} {RESULT_COLUMNS} {settings.name_width} {settings.target} {settings.metrics}"
    if has_common_colors(settings):
        shape += f" {COLOR_COLUMNS} {settings.named}"
    return f"{shape} {COLUMNS} {ROWS_PER_GROUP} {settings.named}" if settings.features else shape


def _stated(told: str, outputs: Files, settings: TaskSettings) -> str:
    """Of what the tables are, and how large they are: a table that was cut, or is gone, is written again."""
    sizes = outputs.sizes("")
    return " ".join([told, *(str(sizes.get(name)) for name in _tables(settings))])


def _read(outputs: Files) -> str:
    try:
        return outputs.read(layout.TABLES).decode("ascii", "replace")
    except OSError:
        return ""


def _result_lines(image: ImageResults, settings: TaskSettings) -> str:
    """One image's rows of results.csv, one for each k: text that is joined here, because a csv.writer takes longer."""
    image_id, token = image.source.image_id, image.token
    suggestion = suggestion_of(image, settings)
    notes = quoted(cell(suggestion.notes))
    name, shape = quoted(cell(image_id)), f"{token.width},{token.height},{token.distinct_colors}"
    folder = quoted(before_names(image, settings))
    folder, quote = (folder[:-1], '"') if folder.endswith('"') else (folder, "")
    # ^ the cell goes on with the flat's own name, which needs no quotes
    width = settings.name_width
    return "".join(
        f"{name},{flat.k},{flat.n_colors},{flat.mse:.9g},{psnr(flat.mse):.4f},{_costly(flat, settings)},"
        f"{_file(folder, quote, flat, width) if flat.sha256 and folder else ',,'},{shape},"
        f"{flat.seconds:.4f},{flat.k == suggestion.k:d},{notes}\n"
        for flat in image.flats
    )


def _file(folder: str, quote: str, flat: ValidFlat, width: int) -> str:
    """Cells of the flat's file, its size and its digest."""
    return f"{folder}{layout.flat_name(flat.k, width)}{quote},{flat.bytes},{flat.sha256}"


def _failure_row(failed: RecordedFailure) -> tuple[str, ...]:
    failure = failed.failure
    texts = (failed.image_id, failure.stage, failure.error, printable(failure.message), failed.path)
    return tuple(map(cell, texts))


def _costly(flat: ValidFlat, settings: TaskSettings) -> str:
    """Cells of the costly columns; empty where the measure is not asked for, or the image has no such value."""
    if not settings.metrics:
        return _NO_VALUES
    taken = metrics_of(flat, settings)
    values = map(taken.get, get_args(CostlyMetric))
    return ",".join("" if value is None else f"{value:.6f}" for value in values)
