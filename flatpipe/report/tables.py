"""results.csv and failures.csv from the ledger, for the images of the current run."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import re
from collections.abc import Iterable
from typing import get_args

from flatpipe import layout
from flatpipe.ledger.answers import RecordedFailure
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import ImageResults, Results, ValidFlat
from flatpipe.quantize.knee import best_k, missed, psnr
from flatpipe.quantize.options import CostlyMetric, Metric
from flatpipe.records import TaskSettings
from flatpipe.storage.roots import Files
from flatpipe.text import cell, printable
from flatpipe.versions import __version__

RESULT_COLUMNS = (
    *("image", "k", "n_colors", *get_args(Metric), "file", "bytes", "sha256"),
    *("width", "height", "distinct_colors", "seconds", "suggested", "notes"),
)
FAILURE_COLUMNS = ("image", "stage", "error", "message", "path")
_NO_VALUES = "," * (len(get_args(CostlyMetric)) - 1)
_MAY_NEED_QUOTES = re.compile('[,"\r\n]')
# ^ whether a line end needs them is another matter from one version of Python to the next: csv.writer decides


def write_tables(
    ledger: Ledger, results: Results, outputs: Files, settings: TaskSettings, *, anew: bool = False
) -> bool:
    """Write both tables whole when what they tell has changed, or `anew`; True when they were written. Raises OSError.

    Rows are in the order of image ids, then k.
    """
    shape = f"{__version__} {RESULT_COLUMNS} {settings.name_width} {settings.target} {settings.metrics}"
    told = hashlib.sha256(f"{shape} {results.state()}".encode()).hexdigest()
    if not anew and _read(outputs) == _stated(told, outputs):
        return False
    outputs.remove(layout.TABLES)
    # ^ until both are there it would not be true
    rows = (_result_lines(image, settings) for image in results.images())
    outputs.write_lines(layout.RESULTS, itertools.chain((_line(RESULT_COLUMNS),), rows))
    failures = (_line(_failure_row(failed)) for failed in ledger.failures())
    outputs.write_lines(layout.FAILURES, itertools.chain((_line(FAILURE_COLUMNS),), failures))
    outputs.write(layout.TABLES, _stated(told, outputs).encode())
    return True


def _stated(told: str, outputs: Files) -> str:
    """Of what the tables are, and how large they are: a table that was cut, or is gone, is written again."""
    sizes = outputs.sizes("")
    return f"{told} {sizes.get(layout.RESULTS)} {sizes.get(layout.FAILURES)}"


def _read(outputs: Files) -> str:
    try:
        return outputs.read(layout.TABLES).decode("ascii", "replace")
    except OSError:
        return ""


def _result_lines(image: ImageResults, settings: TaskSettings) -> str:
    """One image's rows of results.csv, one for each k: text that is joined here, because a csv.writer takes longer."""
    image_id, token = image.source.image_id, image.token
    ks, mses = [flat.k for flat in image.asked], [flat.mse for flat in image.asked]
    best, shortfall = best_k(ks, mses, settings.target), missed(ks, mses, settings.target)
    notes = _quoted(cell(printable("; ".join([*token.notes, *([shortfall] if shortfall else [])]))))
    # ^ what was done to decode the image, and that its best k falls short of the target
    name, shape = _quoted(cell(image_id)), f"{token.width},{token.height},{token.distinct_colors}"
    folder = _quoted(layout.image_folder(image_id))
    folder, quote = (folder[:-1], '"') if folder.endswith('"') else (folder, "")
    # ^ the cell goes on with the flat's own name, which needs no quotes
    return "".join(
        f"{name},{flat.k},{flat.n_colors},{flat.mse:.9g},{psnr(flat.mse):.4f},{_costly(flat, settings.metrics)},"
        f"{folder}/{layout.flat_name(flat.k, settings.name_width)}{quote},{flat.bytes},{flat.sha256},{shape},"
        f"{flat.seconds:.4f},{flat.k == best:d},{notes}\n"
        for flat in image.flats
    )


def _failure_row(failed: RecordedFailure) -> tuple[str, ...]:
    failure = failed.failure
    texts = (failed.image_id, failure.stage, failure.error, printable(failure.message), failed.path)
    return tuple(map(cell, texts))


def _costly(flat: ValidFlat, wanted: tuple[CostlyMetric, ...]) -> str:
    """Cells of the costly columns; empty where the measure is not asked for, or the image has no such value."""
    if not wanted:
        return _NO_VALUES
    taken = json.loads(flat.metrics)
    values = (taken.get(name) if name in wanted else None for name in get_args(CostlyMetric))
    return ",".join("" if value is None else f"{value:.6f}" for value in values)


def _quoted(text: str) -> str:
    """A text as a csv.writer writes it, in quotes where it must be."""
    return _line((text, ""))[:-2] if _MAY_NEED_QUOTES.search(text) else text


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
