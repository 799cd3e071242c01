"""A text, CSV or TSV file that names images -> its entries as they are written, as a stream."""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from flatpipe.errors import ConfigError
from flatpipe.places import is_url, name_of_url
from flatpipe.storage.opening import opened
from flatpipe.storage.urls import blocks_of_url

COLUMNS = ("path", "url", "file", "filename", "image", "image_url")
# ^ names of a column that has the entries
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_LONGEST_LINE = 1 << 17
# ^ characters; whatever has more is no list
_MOST_SHOWN = 20
# ^ columns that an error names


class ListRefused(ConfigError):
    """The file is no list that can be read."""

    def __init__(self, message: str, *, of_column: bool = False) -> None:
        super().__init__(message)
        self.of_column = of_column
        # ^ whether another input.column would help


def entries_of(place: str, column: str | None) -> Iterator[str]:
    """Every entry of a list, a path or URL as it is written; blank lines, and those that begin with #, are none.

    Of a table they stand in `column`, or in the one that is called so. Raises OSError, and ListRefused.
    """
    with _opened(place) as text:
        lines = _lines(text, place)
        delimiter = _DELIMITERS.get(_suffix(place))
        entries = lines if delimiter is None else _of_table(lines, delimiter, column, place)
        for entry in entries:
            stripped = entry.strip()
            if stripped and not stripped.startswith("#"):
                yield stripped


def _suffix(place: str) -> str:
    name = name_of_url(place) if is_url(place) else place
    return name[name.rfind(".") :].lower()


@contextlib.contextmanager
def _opened(place: str) -> Iterator[io.TextIOBase]:
    """The text; one behind a URL is fetched first: no server waits while it is worked through."""
    with contextlib.ExitStack() as stack:
        if is_url(place):
            file = cast("BinaryIO", stack.enter_context(tempfile.TemporaryFile(prefix="flatpipe-")))
            for block in blocks_of_url(place):
                file.write(block)
            file.seek(0)
        else:
            file = stack.enter_context(opened(place, ""))
        encoding = "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        # ^ what some programs call Unicode
        file.seek(0)
        errors = "surrogateescape" if encoding == "utf-8-sig" else "strict"
        # ^ names of files need not be UTF-8
        yield stack.enter_context(io.TextIOWrapper(file, encoding, errors, newline=""))


def _lines(text: io.TextIOBase, place: str) -> Iterator[str]:
    number = 0
    try:
        while line := text.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE:
                raise ListRefused(f"{place}: line {number:,} has no end; this is no list of paths and URLs")
            yield line
    except UnicodeError as error:
        raise ListRefused(f"{place}: cannot be read after line {number:,}: it is no text in UTF-16") from error


def _of_table(lines: Iterator[str], delimiter: str, column: str | None, place: str) -> Iterator[str]:
    rows = csv.reader(lines, delimiter=delimiter)
    try:
        header = next(rows, [])
        if len(header) == 1 and column is None and header[0].strip().lower() not in COLUMNS and _is_entry(header[0]):
            yield header[0]
            # ^ there is no header: the first line would be lost
        number = _number_of_column(header, column, place) if header else 0
        yield from (row[number] for row in rows if len(row) > number)
    except csv.Error as error:
        raise ListRefused(f"{place}: cannot be read as a table at line {rows.line_num:,}: {error}") from error


def _is_entry(cell: str) -> bool:
    return "/" in cell or "." in cell


def _number_of_column(header: list[str], column: str | None, place: str) -> int:
    names = [cell.strip().lower() for cell in header]
    if column is not None:
        fitting = [column.strip().lower()] if column.strip().lower() in names else []
    else:
        fitting = [name for name in COLUMNS if name in names] or (names if len(names) == 1 else [])
    if len(fitting) == 1:
        return names.index(fitting[0])
    shown = ", ".join(header[:_MOST_SHOWN]) + ", ..." * (len(header) > _MOST_SHOWN)
    if column is not None:
        raise ListRefused(f"{place} has no column {column!r}; it has: {shown}", of_column=True)
    what = "several columns may have the images" if fitting else "no column has the images by its name"
    raise ListRefused(f"{place}: {what}: input.column names one of {shown}")
