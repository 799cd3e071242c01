"""Palettes as bytes: palettes.json, and the formats that drawing programs open."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.descent import descent
from flatpipe.vocabulary import PaletteFormat

_Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """The palette of one flat image."""

    k: int
    # ^ colours asked for
    palette: tuple[str, ...]
    # ^ "#rrggbb", by lightness
    shares: tuple[float, ...]
    # ^ part of the counted pixels that each colour covers, 0..1
    weights: tuple[int, ...]
    # ^ the same as a number of pixels, or of their opacities
    mse: float
    # ^ mean over pixels of the squared RGB distance to the written colour, summed over channels


def palettes_json(image_id: str, entries: Iterable[PaletteEntry]) -> bytes:
    """palettes.json: for each k the colours with shares (6 decimals) and descent, and the mse (6 decimals)."""
    ascending = sorted(entries, key=lambda entry: entry.k)
    arrays = [None, *map(_arrays, ascending)]
    lines = ",\n".join(map(_line, ascending, arrays, arrays[1:]))
    # ^ one palette a line: short for the eye, and ten times faster than json's own indenting
    return f'{{"image": {json.dumps(image_id)}, "palettes": [\n{lines}\n]}}\n'.encode("ascii")


def write_palette(kind: PaletteFormat, name: str, colors: Sequence[str], shares: Sequence[float] = ()) -> bytes:
    """The palette file `kind` of colours "#rrggbb".

    `name` titles it where the format has a title; shares (0..1), when given, are told in words where it has room.
    """
    return _WRITERS[kind](_one_line(name), list(colors), list(shares))


def _line(entry: PaletteEntry, before: _Arrays | None, here: _Arrays | None) -> str:
    """A palette and, where one came before, what of it each colour comes from: an object as json.dumps writes it."""
    origins = [""] * len(entry.palette)
    if before is not None and here is not None:
        found = descent(*before, *here)
        pairs = zip(found.is_new.tolist(), found.parent.tolist(), strict=True)
        origins = [f'"new": {"true" if is_new else "false"}, "parent": {parent}, ' for is_new, parent in pairs]
    colors = ", ".join(
        f'{{"hex": "{color}", {origin}"share": {round(share, 6)}}}'
        for color, origin, share in zip(entry.palette, origins, entry.shares, strict=True)
    )
    return f'{{"colors": [{colors}], "k": {entry.k}, "mse": {round(entry.mse, 6)}, "n_colors": {len(entry.palette)}}}'


def _arrays(entry: PaletteEntry) -> _Arrays:
    """The colours (n, 3) of a palette and their weights (n,)."""
    levels = np.frombuffer(bytes.fromhex("".join(entry.palette).replace("#", "")), dtype=np.uint8)
    return levels.reshape(-1, 3), np.array(entry.weights, dtype=np.int64)


def _gpl(name: str, colors: list[str], shares: list[float]) -> bytes:
    """GIMP palette, version 2 of the format; Inkscape, Krita, MyPaint and Aseprite read it too."""
    lines = ["GIMP Palette", f"Name: {name}", "Columns: 0", "#"]
    for color, title in zip(colors, _titles(colors, shares), strict=True):
        red, green, blue = _rgb(color)
        lines.append(f"{red:3d} {green:3d} {blue:3d}\t{title}")
    return _text(lines)


def _ase(name: str, colors: list[str], shares: list[float]) -> bytes:
    """Adobe Swatch Exchange 1.0: one group of global RGB swatches; big-endian, strings UTF-16 with a closing zero."""
    blocks = [_ase_block(0xC001, _utf16(name))]
    for color, title in zip(colors, _titles(colors, shares), strict=True):
        levels = struct.pack(">4s3f", b"RGB ", *(level / 255 for level in _rgb(color)))
        blocks.append(_ase_block(0x0001, _utf16(title) + levels + struct.pack(">H", 0)))
    blocks.append(struct.pack(">HI", 0xC002, 0))
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


def _ase_block(kind: int, payload: bytes) -> bytes:
    return struct.pack(">HI", kind, len(payload)) + payload


def _utf16(text: str) -> bytes:
    """A string of ASE: count of 16-bit units with the closing zero, then the units."""
    units = text.encode("utf-16-be", "replace")
    return struct.pack(">H", len(units) // 2 + 1) + units + b"\0\0"


def _aco(_name: str, colors: list[str], shares: list[float]) -> bytes:
    """Adobe Photoshop color swatches: version 1, then version 2 with names, as Photoshop itself writes them.

    Source: Adobe Photoshop File Formats Specification, "Color Swatches"; colour space 0 is RGB, 0..65535.
    """
    swatches = [struct.pack(">5H", 0, *(level * 257 for level in _rgb(color)), 0) for color in colors]
    titles = [b"\0\0" + _utf16(title) for title in _titles(colors, shares)]
    named = b"".join(swatch + title for swatch, title in zip(swatches, titles, strict=True))
    count = len(colors)
    return struct.pack(">HH", 1, count) + b"".join(swatches) + struct.pack(">HH", 2, count) + named


def _css(name: str, colors: list[str], shares: list[float]) -> bytes:
    """Custom properties --color-1 ... on :root, in the palette's order."""
    notes = [f" /* {share:.2%} */" for share in shares] or [""] * len(colors)
    rows = [f"  --color-{row}: {color};{note}" for row, (color, note) in enumerate(zip(colors, notes, strict=True), 1)]
    title = name.replace("*/", "* /")
    return _text([f"/* {title} */", ":root {", *rows, "}"])


def _hex(_name: str, colors: list[str], _shares: list[float]) -> bytes:
    """One "rrggbb" per line and nothing else, as Lospec's .hex files have it."""
    return _text([color.removeprefix("#") for color in colors])


_WRITERS: dict[PaletteFormat, Callable[[str, list[str], list[float]], bytes]] = {
    "gpl": _gpl,
    "ase": _ase,
    "aco": _aco,
    "css": _css,
    "hex": _hex,
}


def _titles(colors: list[str], shares: list[float]) -> list[str]:
    """What each swatch is called: its hex value, and how much of the image it covers."""
    if not shares:
        return colors
    return [f"{color} ({share:.2%})" for color, share in zip(colors, shares, strict=True)]


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def _one_line(name: str) -> str:
    """The name without line breaks and control characters: a file's name may hold both."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", name)


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")
