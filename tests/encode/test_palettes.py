"""Palettes as files."""

from __future__ import annotations

import io
import json
import re
import struct
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL.GimpPaletteFile import GimpPaletteFile

from flatpipe.encode.palettes import PaletteEntry, palettes_json, write_palette
from flatpipe.vocabulary import PaletteFormat

color = st.tuples(*[st.integers(0, 255)] * 3).map(lambda levels: "#{:02x}{:02x}{:02x}".format(*levels))
palettes = st.lists(color, min_size=1, max_size=20)
names = st.text(max_size=30)


def rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text[1:]))


def utf16_text(content: bytes, offset: int) -> tuple[str, int]:
    """A string whose 16-bit count includes the closing zero, and the offset behind it."""
    (count,) = struct.unpack_from(">H", content, offset)
    end = offset + 2 + 2 * count
    assert content[end - 2 : end] == b"\0\0"
    return content[offset + 2 : end - 2].decode("utf-16-be"), end


# --- palettes.json ---------------------------------------------------------------------------------------------------


def test_palettes_json_tells_colors_descent_shares_and_mse() -> None:
    """Each k has its colours in order, with shares and what they come from, and its mse, by k."""
    entries = [
        PaletteEntry(3, ("#000000", "#ffffff"), (0.25, 0.75), (1, 3), 12.34567891),
        PaletteEntry(2, ("#808080",), (1.0,), (4,), 0.0),
    ]
    content = palettes_json("trips/é \udcff.jpg", entries)
    document = json.loads(content)
    assert document["image"] == "trips/é \udcff.jpg"
    assert document["palettes"] == [
        {"k": 2, "n_colors": 1, "mse": 0.0, "colors": [{"hex": "#808080", "share": 1.0}]},
        {
            "k": 3,
            "n_colors": 2,
            "mse": 12.345679,
            "colors": [
                {"hex": "#000000", "share": 0.25, "parent": 0, "new": True},
                {"hex": "#ffffff", "share": 0.75, "parent": 0, "new": False},
            ],
        },
    ]
    assert content == palettes_json("trips/é \udcff.jpg", entries[::-1])


def test_a_share_missing_is_an_error() -> None:
    """Colours and shares are never paired short."""
    with pytest.raises(ValueError, match="shorter"):
        palettes_json("a.png", [PaletteEntry(2, ("#000000", "#ffffff"), (1.0,), (1, 1), 0.0)])


# --- the formats that drawing programs open --------------------------------------------------------------------------


@given(names, palettes)
def test_gpl_is_read_by_pillow(name: str, colors: list[str]) -> None:
    """Pillow's GIMP palette reader finds the colours in order, whatever the name holds."""
    content = write_palette("gpl", name, colors, [1 / len(colors)] * len(colors))
    read, mode = GimpPaletteFile(io.BytesIO(content)).getpalette()
    assert mode == "RGB"
    assert read == b"".join(bytes(rgb(color)) for color in colors)
    header, title, *_ = content.decode("utf-8").split("\n")
    assert header == "GIMP Palette"
    assert title.startswith("Name: ")


@given(names, palettes)
def test_ase_follows_the_format(name: str, colors: list[str]) -> None:
    """Blocks, lengths and count of an ASE file agree, and its swatches are the colours in order."""
    content = write_palette("ase", name, colors)
    magic, major, minor, n_blocks = struct.unpack_from(">4sHHI", content)
    assert (magic, major, minor) == (b"ASEF", 1, 0)
    offset, kinds, swatches = 12, [], []
    while offset < len(content):
        kind, length = struct.unpack_from(">HI", content, offset)
        kinds.append(kind)
        if kind == 0x0001:
            title, after = utf16_text(content, offset + 6)
            model, *levels, swatch_type = struct.unpack_from(">4s3fH", content, after)
            assert (model, swatch_type, after + 18) == (b"RGB ", 0, offset + 6 + length)
            swatches.append((title, tuple(round(level * 255) for level in levels)))
        offset += 6 + length
    assert kinds == [0xC001, *[0x0001] * len(colors), 0xC002]
    assert n_blocks == len(kinds)
    assert swatches == [(color, rgb(color)) for color in colors]


@given(palettes)
def test_ase_is_read_by_swatch(colors: list[str]) -> None:
    """The swatch package, which others wrote, finds the group and its colours."""
    swatch = pytest.importorskip("swatch.parser")
    content = io.BytesIO(write_palette("ase", "фото a.jpg", colors))
    assert content.read(12)[:4] == b"ASEF"
    groups = list(swatch.parse_chunk(content))
    assert [group["name"] for group in groups] == ["фото a.jpg"]
    read = [tuple(round(level * 255) for level in found["data"]["values"]) for found in groups[0]["swatches"]]
    assert read == [rgb(color) for color in colors]


@given(palettes)
def test_aco_follows_the_format(colors: list[str]) -> None:
    """An ACO file holds version 1, then version 2 with names, and nothing behind; both have the colours in order."""
    content = write_palette("aco", "any", colors, [1 / len(colors)] * len(colors))
    assert struct.unpack_from(">HH", content) == (1, len(colors))
    offset = 4
    for color in colors:
        assert struct.unpack_from(">5H", content, offset) == (0, *(level * 257 for level in rgb(color)), 0)
        offset += 10
    assert struct.unpack_from(">HH", content, offset) == (2, len(colors))
    offset += 4
    for color in colors:
        assert struct.unpack_from(">6H", content, offset) == (0, *(level * 257 for level in rgb(color)), 0, 0)
        title, offset = utf16_text(content, offset + 12)
        assert title.startswith(color)
    assert offset == len(content)


@given(names, palettes)
@example("a */ b", ["#010203"])
def test_css_declares_each_color_once(name: str, colors: list[str]) -> None:
    """Beside comments, out of which no name breaks, a CSS file is one :root rule of --color-1 ... in order."""
    text = write_palette("css", name, colors, [1 / len(colors)] * len(colors)).decode("utf-8")
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split()
    assert bare[:2] == [":root", "{"]
    assert bare[2:-1] == [part for row, color in enumerate(colors, 1) for part in (f"--color-{row}:", f"{color};")]
    assert bare[-1] == "}"


@given(palettes)
def test_hex_is_one_color_per_line(colors: list[str]) -> None:
    """A hex file is rrggbb per line and nothing else."""
    assert write_palette("hex", "any", colors).decode("ascii").splitlines() == [color[1:] for color in colors]


@pytest.mark.parametrize("kind", get_args(PaletteFormat))
def test_names_that_are_no_text_are_written(kind: PaletteFormat) -> None:
    """A file name with line breaks, undecodable bytes and comment ends gives a file all the same, on fixed lines."""
    hostile = write_palette(kind, "a\n#ff0000\udcff*/ }\r\n", ["#010203"])
    plain = write_palette(kind, "a", ["#010203"])
    assert hostile.count(b"\n") == plain.count(b"\n") or kind in ("ase", "aco")
