"""Palettes as tables: CSV and its kin, columns in any order, from spreadsheets and from charts of threads and beads."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette
from flatpipe.palettes.readers.convert import Levels
from flatpipe.palettes.readers.gathering import Gathering
from flatpipe.palettes.readers.texts import Text, check_lines, level_of
from flatpipe.text import printable, uncell

DELIMITERS = ",;\t|"
MOST_COLUMNS = 1000
_WORDS = {
    "hex": ("hex", "color", "colour", "html", "rgb", "web", "rrggbb", "value"),
    "name": ("name", "title", "description", "label", "colorname", "colourname"),
    "code": ("code", "number", "no", "id", "floss", "ref", "reference", "sku", "article", "thread", "dmc", "anchor"),
    "red": ("red", "r"),
    "green": ("green", "g"),
    "blue": ("blue", "b"),
}
# ^ what a column may be called, in letters alone: "Floss#" is floss, "Hex code" is hex
_ROLES = {word: role for role, words in _WORDS.items() for word in words}
_ENDINGS = ("code", "value", "number")
_HEX = re.compile(r"(?:#|0x)?([0-9a-f]{6})|#([0-9a-f]{3})", re.IGNORECASE)
_FEW_DIGITS = re.compile(r"\d{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table has what, counted from 0; None where it has no such column."""

    hex: int | None = None
    red: int | None = None
    green: int | None = None
    blue: int | None = None
    name: int | None = None
    code: int | None = None

    @property
    def has_colors(self) -> bool:
        """Whether a colour can be read off a row."""
        return self.hex is not None or None not in (self.red, self.green, self.blue)


def read_sheet(text: Text) -> Palette:
    """A table of colours, as `hex` or as `r`, `g` and `b`, with `name` and `code` where it has them.

    The first row names the columns, in any order; without such a row a colour comes first, then its name and code.
    Lines that begin with `# ` before the table are comments.
    """
    rows, gathering = _rows(text), Gathering()
    number, first = next(rows, (1, [""]))
    columns = _named_columns(first)
    if not columns.has_colors:
        columns = _unnamed_columns(first)
        if not columns.has_colors:
            raise ConfigError(f"line {number}: no column of colours; name one hex, or three r, g and b")
        _add(first, number, columns, gathering)
    for at, row in rows:
        _add(row, at, columns, gathering)
    return gathering.palette("", *text.remarks)


def _rows(text: Text) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the number of the line that it ends in."""
    start, skipped = 0, 0
    while text.text.startswith(("# ", "#\t", "#\n", "#\r"), start):
        start, skipped = text.text.find("\n", start) + 1 or len(text.text), skipped + 1
        check_lines(skipped)
    body = text.text[start:]
    delimiter = _delimiter(body)
    lines = _narrow(body, delimiter, skipped)
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num + skipped, [cell.strip() for cell in row]
    except csv.Error as error:
        raise ConfigError(f"line {reader.line_num + skipped}: no table that can be read: {error}") from None


def _narrow(body: str, delimiter: str, skipped: int) -> Iterator[str]:
    """The lines of a table, with their ends; raises ConfigError for one that no table has: cells take memory."""
    for number, line in enumerate(io.StringIO(body, newline=""), 1):
        check_lines(number + skipped)
        if line.count(delimiter) >= MOST_COLUMNS:
            raise ConfigError(f"line {number + skipped}: it has more than {MOST_COLUMNS:,} columns")
        yield line


def _delimiter(body: str) -> str:
    """What parts the cells: of the signs that may, the one that the first line has most of outside quotes."""
    first = next((line for line in io.StringIO(body) if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first[:10_000])
    return max(DELIMITERS, key=bare.count)


def _named_columns(header: list[str]) -> Columns:
    """What the first row says of the columns; the first of several with the same meaning counts."""
    found: dict[str, int] = {}
    for index, cell in enumerate(header):
        letters = re.sub(r"[^a-z]", "", cell.lower())
        shorter = next((letters.removesuffix(end) for end in _ENDINGS if letters.endswith(end)), letters)
        role = _ROLES.get(letters) or _ROLES.get(shorter)
        if role:
            found.setdefault(role, index)
    return Columns(**found)


def _unnamed_columns(row: list[str]) -> Columns:
    """Columns of a table without a first row that names them."""
    if len(row) >= 3 and all(re.fullmatch(r"-?\d{1,3}", cell, re.ASCII) for cell in row[:3]):
        return Columns(red=0, green=1, blue=2, name=3, code=4)
    for index, cell in enumerate(row):
        if _HEX.fullmatch(cell):
            others = [other for other in range(index + 3) if other != index]
            return Columns(hex=index, name=others[0], code=others[1])
    return Columns()


def _add(row: list[str], number: int, columns: Columns, gathering: Gathering) -> None:
    gathering.add(_levels(row, number, columns), uncell(_at(row, columns.name)), uncell(_at(row, columns.code)))


def _levels(row: list[str], number: int, columns: Columns) -> Levels:
    if columns.hex is None:
        red, green, blue = (level_of(_at(row, index), number) for index in (columns.red, columns.green, columns.blue))
        return red, green, blue
    written = _at(row, columns.hex)
    found = _HEX.fullmatch(written)
    if not found:
        words = f"'{printable(written[:40])}{'...' * (len(written) > 40)}' is no colour; #rrggbb is"
        lost = ", and spreadsheets take zeros away from rrggbb alone" if _FEW_DIGITS.fullmatch(written) else ""
        raise ConfigError(f"line {number}: {words}{lost}")
    red, green, blue = bytes.fromhex(found[1] or "".join(2 * digit for digit in found[2]))
    return red, green, blue


def _at(row: list[str], index: int | None) -> str:
    """A cell; "" where the row is too short, or the table has no such column."""
    return row[index] if index is not None and index < len(row) else ""
