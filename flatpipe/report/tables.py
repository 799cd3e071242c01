"""results.csv and failures.csv from the ledger, for the images of the current run."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from flatpipe import layout
from flatpipe.ledger.answers import RecordedFailure
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import ImageResults, Results, ValidFlat
from flatpipe.quantize.knee import best_k, missed, psnr
from flatpipe.quantize.options import CostlyMetric, Metric
from flatpipe.records import TaskSettings
from flatpipe.storage.roots import Root
from flatpipe.text import cell, printable

RESULT_COLUMNS = (
    *("image", "k", "n_colors", *get_args(Metric), "file", "bytes", "sha256"),
    *("width", "height", "distinct_colors", "seconds", "suggested", "notes"),
)
FAILURE_COLUMNS = ("image", "stage", "error", "message", "path")


def write_tables(ledger: Ledger, results: Results, outputs: Root, settings: TaskSettings) -> None:
    """Write both tables whole; raises OSError. Rows are in the order of image ids, then k."""
    rows = itertools.chain.from_iterable(_result_rows(image, settings) for image in results.images())
    outputs.write_lines(layout.RESULTS, _csv_lines(RESULT_COLUMNS, rows))
    outputs.write_lines(layout.FAILURES, _csv_lines(FAILURE_COLUMNS, map(_failure_row, ledger.failures())))


def _result_rows(image: ImageResults, settings: TaskSettings) -> Iterator[tuple[Any, ...]]:
    """One image's rows of results.csv."""
    ks, mses = [flat.k for flat in image.flats], [flat.mse for flat in image.flats]
    suggested, shortfall = best_k(ks, mses, settings.target), missed(ks, mses, settings.target)
    notes = cell(printable("; ".join([*image.token.notes, *([shortfall] if shortfall else [])])))
    # ^ what was done to decode the image, and that its best k falls short of the target
    for flat in image.flats:
        yield (*_result_row(image, flat, settings), int(flat.k == suggested), notes)


def _result_row(image: ImageResults, flat: ValidFlat, settings: TaskSettings) -> tuple[Any, ...]:
    image_id, token = image.source.image_id, image.token
    file = f"{layout.image_folder(image_id)}/{layout.flat_name(flat.k, settings.name_width)}"
    quality = (f"{flat.mse:.9g}", f"{psnr(flat.mse):.4f}", *_costly(json.loads(flat.metrics), settings.metrics))
    shape = (token.width, token.height, token.distinct_colors)
    return (
        cell(image_id),
        flat.k,
        flat.n_colors,
        *quality,
        file,
        flat.bytes,
        flat.sha256,
        *shape,
        f"{flat.seconds:.4f}",
    )


def _failure_row(failed: RecordedFailure) -> tuple[str, ...]:
    failure = failed.failure
    texts = (failed.image_id, failure.stage, failure.error, printable(failure.message), failed.path)
    return tuple(map(cell, texts))


def _costly(taken: dict[str, float | None], wanted: tuple[CostlyMetric, ...]) -> Iterator[str]:
    """Values of the costly columns; empty where the measure is not asked for, or the image has no such value."""
    for name in get_args(CostlyMetric):
        value = taken.get(name) if name in wanted else None
        yield "" if value is None else f"{value:.6f}"


def _csv_lines(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\n")
    for row in itertools.chain((columns,), rows):
        writer.writerow(row)
        yield line.getvalue()
        line.seek(0)
        line.truncate()
