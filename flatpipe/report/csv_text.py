"""Rows of a CSV file as text (RFC 4180), the same with every version of Python.

Its own csv.writer leaves a lone carriage return without quotes before 3.13, and no reader takes such a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NEEDS_QUOTES = re.compile('[,"\r\n]')


def quoted(text: str) -> str:
    """A text as a cell, in quotes where it must be."""
    if _NEEDS_QUOTES.search(text):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text


def csv_line(cells: Iterable[str]) -> str:
    """One row, its end included."""
    return ",".join(map(quoted, cells)) + "\n"
