"""results.csv and failures.csv from the ledger, for the images of the current run."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from flatpipe.files import layout
from flatpipe.files.ledger import Ledger
from flatpipe.files.storage import Root

RESULT_COLUMNS = (
    *("image", "k", "n_colors", "mse", "psnr", "file", "bytes", "sha256"),
    *("width", "height", "distinct_colors", "seconds", "notes"),
)
FAILURE_COLUMNS = ("image", "stage", "error", "message", "path")

_RESULTS = """
SELECT p.image_id, f.k, f.n_colors, f.mse, f.bytes, f.sha256, i.width, i.height, i.distinct_colors, f.seconds, i.notes
FROM planned p JOIN flats f USING (image_id) JOIN images i USING (image_id)
WHERE f.content = i.content AND f.settings IN (SELECT value FROM json_each(?))
ORDER BY p.image_id, f.k
"""
_FAILURES = "SELECT image_id, stage, error, message, path FROM failures ORDER BY image_id"


def write_tables(ledger: Ledger, outputs: Root, settings_digests: Iterable[str], width: int) -> None:
    """Write both tables whole; raises OSError. Rows are in the order of image ids, then k."""
    digests = json.dumps(sorted(settings_digests))
    results = (_result_row(row, width) for row in ledger.rows(_RESULTS, (digests,)))
    outputs.write_lines(layout.RESULTS, _csv_lines(RESULT_COLUMNS, results))
    outputs.write_lines(layout.FAILURES, _csv_lines(FAILURE_COLUMNS, ledger.rows(_FAILURES)))


def psnr(mse: float) -> float:
    """Peak signal-to-noise ratio in dB of an mse that is summed over the three channels; infinite when mse is 0."""
    return math.inf if mse == 0 else 10 * math.log10(3 * 255**2 / mse)


def _result_row(row: tuple[Any, ...], width: int) -> tuple[Any, ...]:
    image_id, k, n_colors, mse, size, sha256, image_width, image_height, distinct, seconds, notes = row
    file = f"{layout.image_folder(image_id)}/{layout.flat_name(k, width)}"
    shape = (image_width, image_height, distinct)
    words = "; ".join(json.loads(notes))
    return (
        image_id,
        k,
        n_colors,
        f"{mse:.9g}",
        f"{psnr(mse):.4f}",
        file,
        size,
        sha256,
        *shape,
        f"{seconds:.4f}",
        words,
    )


def _csv_lines(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\n")
    for row in itertools.chain((columns,), rows):
        writer.writerow(row)
        yield line.getvalue()
        line.seek(0)
        line.truncate()
