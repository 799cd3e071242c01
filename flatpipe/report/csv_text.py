"""Rows of a CSV file as text, as Python's csv module writes them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

_MAY_NEED_QUOTES = re.compile('[,"\r\n]')
# ^ whether a line end needs them is another matter from one version of Python to the next: csv.writer decides


def quoted(text: str) -> str:
    """A text as a csv.writer writes it, in quotes where it must be."""
    return csv_line((text, ""))[:-2] if _MAY_NEED_QUOTES.search(text) else text


def csv_line(cells: Iterable[str]) -> str:
    """One row, its end included."""
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
