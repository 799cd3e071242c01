"""Palettes that are text, a colour in each line: GIMP (.gpl), JASC (.pal), and lists of hex values (.hex, .txt)."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette
from flatpipe.palettes.readers.convert import Levels
from flatpipe.palettes.readers.gathering import Gathering
from flatpipe.text import printable

NOT_UTF8 = "its text is not UTF-8, and was read as Windows-1252"
OPACITY = "with an opacity, which is not read"
_UNNAMED = "Untitled"
# ^ what GIMP calls a colour that nobody has named
_FIELD = re.compile(r"(\w+):\s*(.*)")
_LEVELS = re.compile(r"\s*(-?\d+)[\s,]+(-?\d+)[\s,]+(-?\d+)\s*(.*)")
_HEX = re.compile(r"(#|0x)?([0-9a-f]{8}|[0-9a-f]{6}|(?<=#)[0-9a-f]{3})(?:[\s,;]+(.*))?", re.IGNORECASE)
_COMMENTS = (";", "//")
MOST_LINES = 262_144
# ^ four for each colour that a palette may have: comments and blank lines among them
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text, and what had to be guessed of it."""

    text: str
    remarks: tuple[str, ...] = ()

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line that is not blank, without its end, with its number from 1; raises ConfigError for too many."""
        for number, line in enumerate(io.StringIO(self.text, newline=None), 1):
            check_lines(number)
            if line.strip():
                yield number, line.rstrip("\n")


def decoded(content: bytes) -> Text:
    """Text in UTF-8, in UTF-16 behind its mark, or in what Windows wrote before; raises ConfigError when it is none."""
    mark, encoding = next((found for found in _MARKS if content.startswith(found[0])), (b"", "utf-8"))
    body = content[len(mark) :]
    if encoding == "utf-8" and (at := body.find(b"\0")) >= 0:
        raise ConfigError(f"byte {at + len(mark):,}: neither text nor a format of palettes that is known")
    try:
        return Text(body.decode(encoding))
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise ConfigError(f"byte {error.start + 2:,}: it begins as UTF-16, and is not from here on") from None
        return Text(body.decode("cp1252", "replace"), (NOT_UTF8,))


def check_lines(number: int) -> None:
    """Raise ConfigError where a text has more lines than any palette needs."""
    if number > MOST_LINES:
        raise ConfigError(f"line {number:,}: it has more than {MOST_LINES:,} lines")


def read_gpl(text: Text) -> Palette:
    """A GIMP palette, of the first or second version; with `Channels: RGBA`, as Aseprite writes it, without opacity."""
    gathering, fields = Gathering(), dict[str, str]()
    for number, line in _behind_first(text):
        if line.startswith("#"):
            continue
        field = _FIELD.match(line)
        if field:
            fields[field[1].lower()] = field[2]
            continue
        levels, rest = _levels_of(line, number)
        if fields.get("channels", "").strip().upper() == "RGBA":
            rest = " ".join(rest.split(maxsplit=1)[1:])
            gathering.note(OPACITY)
        gathering.add_titled(levels, "" if rest.strip() == _UNNAMED else rest)
    return gathering.palette(fields.get("name", ""), *text.remarks)


def _behind_first(text: Text) -> Iterator[tuple[int, str]]:
    """The lines behind the first, which says what the file is."""
    lines = text.lines()
    next(lines)
    return lines


def read_jasc(text: Text) -> Palette:
    """A JASC palette of Paint Shop Pro: its version, how many colours, then three levels a line."""
    lines, gathering = _behind_first(text), Gathering()
    number, version = next(lines, (2, ""))
    if version.strip() != "0100":
        raise ConfigError(f"line {number}: version {_quoted(version)} of the format is not known; 0100 is")
    number, written = next(lines, (3, ""))
    if not written.strip().isascii() or not written.strip().isdigit():
        raise ConfigError(f"line {number}: {_quoted(written)} is not how many colours follow, as a whole number")
    for at, line in lines:
        levels, rest = _levels_of(line, at)
        if rest.strip():
            gathering.note(OPACITY)
        gathering.add(levels)
    if written.strip().lstrip("0") != str(len(gathering)):
        raise ConfigError(f"line {number}: it counts {_quoted(written)} colours, and {len(gathering):,} follow")
    return gathering.palette("", *text.remarks)


def read_hex_lines(text: Text) -> Palette:
    """One colour a line, `rrggbb` or `#rrggbb`, each with a name behind it if it likes.

    `;` and `//` begin comments, and so does `# `. Eight digits are `aarrggbb`, as Paint.NET writes them, and behind a #
    `#rrggbbaa`, as style sheets do.
    """
    gathering = Gathering()
    for number, line in text.lines():
        words = line.strip()
        if words.startswith(_COMMENTS) or words == "#" or words.startswith(("# ", "#\t")):
            continue
        found = _HEX.fullmatch(words)
        if not found:
            raise ConfigError(f"line {number}: {_quoted(words)} is no colour; #rrggbb is")
        gathering.add_titled(_hex_levels(found[1] or "", found[2], gathering), found[3] or "")
    return gathering.palette("", *text.remarks)


def is_hex_line(line: str) -> bool:
    """Whether a line is a colour of such a list, or a comment in it."""
    words = line.strip()
    return bool(_HEX.fullmatch(words)) or words.startswith(_COMMENTS)


def _hex_levels(sign: str, digits: str, gathering: Gathering) -> Levels:
    if len(digits) == 8:
        gathering.note(OPACITY)
        digits = digits[:6] if sign == "#" else digits[2:]
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def _levels_of(line: str, number: int) -> tuple[Levels, str]:
    """The three levels that a line begins with, and what follows them."""
    found = _LEVELS.fullmatch(line)
    if not found:
        raise ConfigError(f"line {number}: {_quoted(line)} does not begin with three levels, each 0 to 255")
    return (level_of(found[1], number), level_of(found[2], number), level_of(found[3], number)), found[4]


def level_of(written: str, number: int) -> int:
    """A level, 0..255, as a line has it; raises ConfigError for anything else."""
    if not re.fullmatch(r"0{0,9}\d{1,3}", written, re.ASCII) or int(written) > 255:
        raise ConfigError(f"line {number}: {_quoted(written)} is no level; 0 to 255 are")
    return int(written)


def _quoted(words: str) -> str:
    words = words.strip()
    return f"'{printable(words[:40])}{'...' * (len(words) > 40)}'"
