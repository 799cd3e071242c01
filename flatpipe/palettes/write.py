"""A Palette as the files that other programs read: drawing programs, consoles, style sheets, spreadsheets."""

from __future__ import annotations

import csv
import io
import re
import struct
from collections.abc import Callable, Iterator, Sequence

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette, PaletteColor
from flatpipe.palettes.titles import called, cleaned, cleaned_code, title_of
from flatpipe.text import cell
from flatpipe.vocabulary import PaletteFormat

MOST_IN_ACT = 256


def write_palette(kind: PaletteFormat, palette: Palette, shares: Sequence[float] = ()) -> bytes:
    """The palette file `kind`, with names and codes where it has room for them, and its title where it has one.

    Shares (0..1), when given, are told in words where it has room. Raises ConfigError for more colours than it holds.
    """
    return _WRITERS[kind](_one_line(palette.title), palette.colors, list(shares))


def _gpl(title: str, colors: Sequence[PaletteColor], shares: list[float]) -> bytes:
    """GIMP palette, version 2 of the format; Inkscape, Krita, MyPaint and Aseprite read it too."""
    lines = ["GIMP Palette", f"Name: {title}", "Columns: 0", "#"]
    for color, words in zip(colors, _titles(colors, shares), strict=True):
        lines.append(f"{color.red:3d} {color.green:3d} {color.blue:3d}\t{words}")
    return _text(lines)


def _ase(title: str, colors: Sequence[PaletteColor], shares: list[float]) -> bytes:
    """Adobe Swatch Exchange 1.0: one group of global RGB swatches; big-endian, strings UTF-16 with a closing zero."""
    blocks = [_ase_block(0xC001, _utf16(title))]
    for color, words in zip(colors, _titles(colors, shares), strict=True):
        levels = struct.pack(">4s3f", b"RGB ", *(level / 255 for level in _rgb(color)))
        blocks.append(_ase_block(0x0001, _utf16(words) + levels + struct.pack(">H", 0)))
    blocks.append(struct.pack(">HI", 0xC002, 0))
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


def _ase_block(kind: int, payload: bytes) -> bytes:
    return struct.pack(">HI", kind, len(payload)) + payload


def _utf16(text: str) -> bytes:
    """A string of ASE: count of 16-bit units with the closing zero, then the units."""
    units = text.encode("utf-16-be", "replace")
    return struct.pack(">H", len(units) // 2 + 1) + units + b"\0\0"


def _aco(_title: str, colors: Sequence[PaletteColor], shares: list[float]) -> bytes:
    """Adobe Photoshop color swatches: version 1, then version 2 with names, as Photoshop itself writes them.

    Source: Adobe Photoshop File Formats Specification, "Color Swatches"; colour space 0 is RGB, 0..65535.
    """
    swatches = [struct.pack(">5H", 0, *(level * 257 for level in _rgb(color)), 0) for color in colors]
    titles = [b"\0\0" + _utf16(words) for words in _titles(colors, shares)]
    named = b"".join(swatch + words for swatch, words in zip(swatches, titles, strict=True))
    count = len(colors)
    if count > 0xFFFF:
        raise ConfigError(f"an .aco file holds 65,535 colours, and this palette has {count:,}")
    return struct.pack(">HH", 1, count) + b"".join(swatches) + struct.pack(">HH", 2, count) + named


def _act(_title: str, colors: Sequence[PaletteColor], _shares: list[float]) -> bytes:
    """Adobe color table: 256 places, then how many are taken, and that none is transparent; big-endian."""
    if len(colors) > MOST_IN_ACT:
        raise ConfigError(f"an .act file holds {MOST_IN_ACT} colours, and this palette has {len(colors):,}")
    levels = b"".join(bytes(_rgb(color)) for color in colors)
    return levels.ljust(3 * MOST_IN_ACT, b"\0") + struct.pack(">HH", len(colors), 0xFFFF)


def _pal(_title: str, colors: Sequence[PaletteColor], _shares: list[float]) -> bytes:
    """JASC palette of Paint Shop Pro, which knows no names; its lines end as on Windows."""
    rows = [" ".join(map(str, _rgb(color))) for color in colors]
    return "".join(f"{line}\r\n" for line in ["JASC-PAL", "0100", str(len(colors)), *rows]).encode("ascii")


def _csv(_title: str, colors: Sequence[PaletteColor], shares: list[float]) -> bytes:
    """A table: hex, name, code and, where they are known, the share as a part of 1 with 6 decimals."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["hex", "name", "code", *["share"] * bool(shares)])
    for color, share in _paired(colors, shares):
        words = cell(cleaned(color.name)), cell(cleaned_code(color.code))
        writer.writerow([color.hex, *words, *([] if share is None else [f"{share:.6f}"])])
    return table.getvalue().encode("utf-8")


def _css(title: str, colors: Sequence[PaletteColor], shares: list[float]) -> bytes:
    """Custom properties --color-1 ... on :root, in the palette's order."""
    rows = [f"  --color-{row}: {color.hex};{note}" for row, (color, note) in enumerate(_notes(colors, shares), 1)]
    return _text([f"/* {_in_comment(title)} */", ":root {", *rows, "}"])


def _notes(colors: Sequence[PaletteColor], shares: list[float]) -> list[tuple[PaletteColor, str]]:
    """Each colour with the comment that stands behind it: what it is called, and its share."""
    told = [f"{share:.2%}" for share in shares] or [""] * len(colors)
    words = [", ".join(filter(None, (called(color), share))) for color, share in zip(colors, told, strict=True)]
    return [(color, f" /* {_in_comment(note)} */" if note else "") for color, note in zip(colors, words, strict=True)]


def _in_comment(text: str) -> str:
    return text.replace("*/", "* /")


def _hex(_title: str, colors: Sequence[PaletteColor], _shares: list[float]) -> bytes:
    """One "rrggbb" per line and nothing else, as Lospec's .hex files have it."""
    return _text([color.hex.removeprefix("#") for color in colors])


_WRITERS: dict[PaletteFormat, Callable[[str, Sequence[PaletteColor], list[float]], bytes]] = {
    "gpl": _gpl,
    "ase": _ase,
    "aco": _aco,
    "act": _act,
    "pal": _pal,
    "csv": _csv,
    "css": _css,
    "hex": _hex,
}


def _titles(colors: Sequence[PaletteColor], shares: list[float]) -> list[str]:
    """What each swatch is called: its name and code, or its hex value, and how much of the image it covers."""
    return [title_of(color, share) for color, share in _paired(colors, shares)]


def _paired(colors: Sequence[PaletteColor], shares: list[float]) -> Iterator[tuple[PaletteColor, float | None]]:
    """Each colour with its share, or with none where there are none."""
    told: Sequence[float | None] = shares or [None] * len(colors)
    return zip(colors, told, strict=True)


def _rgb(color: PaletteColor) -> tuple[int, int, int]:
    return color.red, color.green, color.blue


def _one_line(name: str) -> str:
    """The name without line breaks and control characters: a file's name may hold both."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", name)


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")
