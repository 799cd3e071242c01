"""results.csv and failures.csv from the ledger, for the images of the current run."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from flatpipe import layout
from flatpipe.ledger.ledger import Ledger
from flatpipe.quantize.knee import best_k, missed, psnr
from flatpipe.quantize.options import CostlyMetric, Metric
from flatpipe.records import TaskSettings
from flatpipe.storage.roots import Root

RESULT_COLUMNS = (
    *("image", "k", "n_colors", *get_args(Metric), "file", "bytes", "sha256"),
    *("width", "height", "distinct_colors", "seconds", "suggested", "notes"),
)
FAILURE_COLUMNS = ("image", "stage", "error", "message", "path")

_RESULTS = """
SELECT p.image_id, f.k, f.n_colors, f.mse, f.bytes, f.sha256, i.width, i.height, i.distinct_colors, f.seconds,
       f.metrics, i.notes
FROM planned p JOIN flats f USING (image_id) JOIN images i USING (image_id)
WHERE f.content = i.content AND f.settings IN (SELECT value FROM json_each(?))
ORDER BY p.image_id, f.k
"""
_FAILURES = "SELECT image_id, stage, error, message, path FROM failures ORDER BY image_id"


def write_tables(ledger: Ledger, outputs: Root, settings_digests: Iterable[str], settings: TaskSettings) -> None:
    """Write both tables whole; raises OSError. Rows are in the order of image ids, then k."""
    digests = json.dumps(sorted(settings_digests))
    results = _result_rows(ledger.rows(_RESULTS, (digests,)), settings)
    outputs.write_lines(layout.RESULTS, _csv_lines(RESULT_COLUMNS, results))
    outputs.write_lines(layout.FAILURES, _csv_lines(FAILURE_COLUMNS, ledger.rows(_FAILURES)))


def _result_rows(rows: Iterable[tuple[Any, ...]], settings: TaskSettings) -> Iterator[tuple[Any, ...]]:
    """Rows of results.csv from rows of the query; an image's rows come together, so that its best k can be found."""
    for image_id, of_image in itertools.groupby(rows, key=lambda row: row[0]):
        flats = list(of_image)
        ks, mses = [flat[1] for flat in flats], [flat[3] for flat in flats]
        suggested, shortfall = best_k(ks, mses, settings.target), missed(ks, mses, settings.target)
        folder = layout.image_folder(image_id)
        for flat in flats:
            file = f"{folder}/{layout.flat_name(flat[1], settings.name_width)}"
            yield (*_result_row(flat, file, settings), int(flat[1] == suggested), _notes(flat[-1], shortfall))


def _result_row(row: tuple[Any, ...], file: str, settings: TaskSettings) -> tuple[Any, ...]:
    image_id, k, n_colors, mse, size, sha256, image_width, image_height, distinct, seconds, metrics, _ = row
    quality = (f"{mse:.9g}", f"{psnr(mse):.4f}", *_costly(json.loads(metrics), settings.metrics))
    shape = (image_width, image_height, distinct)
    return (image_id, k, n_colors, *quality, file, size, sha256, *shape, f"{seconds:.4f}")


def _costly(taken: dict[str, float | None], wanted: tuple[CostlyMetric, ...]) -> Iterator[str]:
    """Values of the costly columns; empty where the measure is not asked for, or the image has no such value."""
    for name in get_args(CostlyMetric):
        value = taken.get(name) if name in wanted else None
        yield "" if value is None else f"{value:.6f}"


def _notes(recorded: str, shortfall: str) -> str:
    """What was done to decode the image, and that its best k falls short of the target."""
    return "; ".join([*json.loads(recorded), *([shortfall] if shortfall else [])])


def _csv_lines(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\n")
    for row in itertools.chain((columns,), rows):
        writer.writerow(row)
        yield line.getvalue()
        line.seek(0)
        line.truncate()
