"""Palettes as files that other programs read: each format is what it says, and reads as what was written."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import struct
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL.GimpPaletteFile import GimpPaletteFile

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette, PaletteColor
from flatpipe.palettes.read import palette_of
from flatpipe.palettes.titles import LONGEST, cleaned, cleaned_code
from flatpipe.palettes.write import write_palette
from flatpipe.vocabulary import PaletteFormat

KINDS = get_args(PaletteFormat)
level = st.integers(0, 255)
color = st.tuples(level, level, level).map(lambda levels: "#{:02x}{:02x}{:02x}".format(*levels))
palettes = st.lists(color, min_size=1, max_size=20)
names = st.text(max_size=30)
tricky = names | st.sampled_from(
    ["a [b]", "[b]", "a (50.00%)", "=1+1", "'x", "''", '"', "a,b;c", "#010203", " x ", "a []"]
)
named = st.lists(st.builds(PaletteColor, level, level, level, tricky, tricky), min_size=1, max_size=20).map(tuple)


def rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text[1:]))


def written(kind: PaletteFormat, name: str, colors: list[str], shares: list[float] | None = None) -> bytes:
    return write_palette(kind, Palette.of_hex(colors, name), shares or [])


def utf16_text(content: bytes, offset: int) -> tuple[str, int]:
    """A string whose 16-bit count includes the closing zero, and the offset behind it."""
    (count,) = struct.unpack_from(">H", content, offset)
    end = offset + 2 + 2 * count
    assert content[end - 2 : end] == b"\0\0"
    return content[offset + 2 : end - 2].decode("utf-16-be"), end


# --- back again ------------------------------------------------------------------------------------------------------


@given(named, names)
@pytest.mark.parametrize("kind", ["gpl", "ase", "aco", "csv"])
def test_names_and_codes_come_back(kind: PaletteFormat, colors: tuple[PaletteColor, ...], title: str) -> None:
    """What is written with names and codes in any script is read as it was, but for what no file can hold."""
    read = palette_of(write_palette(kind, Palette(colors, title)), f"any.{kind}")

    assert read.colors == tuple(expected(color, kind) for color in colors)
    if kind in ("gpl", "ase"):
        assert read.title == (cleaned(title) or "any")


@given(named)
@pytest.mark.parametrize("kind", ["act", "pal", "hex"])
def test_colors_come_back(kind: PaletteFormat, colors: tuple[PaletteColor, ...]) -> None:
    """Formats without names keep every colour in its row."""
    read = palette_of(write_palette(kind, Palette(colors)), f"any.{kind}")

    assert read == Palette(tuple(PaletteColor(one.red, one.green, one.blue) for one in colors), "any")


@given(named)
@pytest.mark.parametrize("kind", ["gpl", "ase", "aco", "csv"])
def test_shares_are_no_part_of_a_name(kind: PaletteFormat, colors: tuple[PaletteColor, ...]) -> None:
    """A run's palette file, with shares, reads as the palette that it came from."""
    read = palette_of(write_palette(kind, Palette(colors), [1 / len(colors)] * len(colors)), f"any.{kind}")

    assert read.colors == tuple(expected(color, kind) for color in colors)


def expected(color: PaletteColor, kind: str) -> PaletteColor:
    """A colour as it comes back: control characters gone, and in one text with a code no name that is the colour."""
    name, code = cleaned(color.name), cleaned_code(color.code)
    if kind != "csv" and not code and (name.lower() == color.hex or (kind == "gpl" and name == "Untitled")):
        name = ""
    return PaletteColor(color.red, color.green, color.blue, name, code)


def test_names_are_cut_and_cleaned() -> None:
    """Control characters and turned text go, letters of every script and their joiners stay; what is long is cut."""
    assert cleaned("a\tb\n\u202ec\ud800\x9b ") == "a b  c\ufffd"
    assert cleaned("می‌خواهم 👩‍🎨 Łódź") == "می‌خواهم 👩‍🎨 Łódź"
    assert cleaned("x" * 1000) == "x" * LONGEST
    assert cleaned_code("a[b]") == "a(b)"


def test_a_format_says_when_it_is_too_small() -> None:
    """More colours than a format can count are a sentence, not a file that lies."""
    many = Palette((PaletteColor(1, 2, 3),) * 65_536)

    with pytest.raises(ConfigError, match=r"^an \.act file holds 256 colours, and this palette has 65,536$"):
        write_palette("act", many)
    with pytest.raises(ConfigError, match=r"^an \.aco file holds 65,535 colours, and this palette has 65,536$"):
        write_palette("aco", many)
    assert len(palette_of(write_palette("ase", many), "many.ase")) == 65_536


FORMER = {
    "gpl": "e419309ef6c2cae2",
    "ase": "d751009479719452",
    "aco": "d2b2c960f95354ad",
    "css": "edb05b2cb5dcfd6d",
    "hex": "6d6e161f1d40acfc",
}


@pytest.mark.parametrize("kind", FORMER)
def test_files_without_names_keep_their_bytes(kind: PaletteFormat) -> None:
    """A palette that nobody has named is written as it always was: ledgers hold the digests of such files."""
    colors = [f"#{7 * row:02x}{255 - row:02x}{row * row % 256:02x}" for row in range(16)]
    content = written(kind, "a*/ \n photo.jpg", colors, [row / 120 for row in range(16)])

    assert hashlib.sha256(content).hexdigest()[:16] == FORMER[kind]


# --- each is what it says --------------------------------------------------------------------------------------------


@given(names, palettes)
def test_gpl_is_read_by_pillow(name: str, colors: list[str]) -> None:
    """Pillow's GIMP palette reader finds the colours in order, whatever the name holds."""
    content = written("gpl", name, colors, [1 / len(colors)] * len(colors))
    read, mode = GimpPaletteFile(io.BytesIO(content)).getpalette()
    assert mode == "RGB"
    assert read == b"".join(bytes(rgb(color)) for color in colors)
    header, title, *_ = content.decode("utf-8").split("\n")
    assert header == "GIMP Palette"
    assert title.startswith("Name: ")


@given(names, palettes)
def test_ase_follows_the_format(name: str, colors: list[str]) -> None:
    """Blocks, lengths and count of an ASE file agree, and its swatches are the colours in order."""
    content = written("ase", name, colors)
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
    content = io.BytesIO(written("ase", "фото a.jpg", colors))
    assert content.read(12)[:4] == b"ASEF"
    groups = list(swatch.parse_chunk(content))
    assert [group["name"] for group in groups] == ["фото a.jpg"]
    read = [tuple(round(level * 255) for level in found["data"]["values"]) for found in groups[0]["swatches"]]
    assert read == [rgb(color) for color in colors]


@given(palettes)
def test_aco_follows_the_format(colors: list[str]) -> None:
    """An ACO file holds version 1, then version 2 with names, and nothing behind; both have the colours in order."""
    content = written("aco", "any", colors, [1 / len(colors)] * len(colors))
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
    text = written("css", name, colors, [1 / len(colors)] * len(colors)).decode("utf-8")
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split()
    assert bare[:2] == [":root", "{"]
    assert bare[2:-1] == [part for row, color in enumerate(colors, 1) for part in (f"--color-{row}:", f"{color};")]
    assert bare[-1] == "}"


@given(palettes)
def test_hex_is_one_color_per_line(colors: list[str]) -> None:
    """A hex file is rrggbb per line and nothing else."""
    assert written("hex", "any", colors).decode("ascii").splitlines() == [color[1:] for color in colors]


@pytest.mark.parametrize("kind", get_args(PaletteFormat))
def test_names_that_are_no_text_are_written(kind: PaletteFormat) -> None:
    """A file name with line breaks, undecodable bytes and comment ends gives a file all the same, on fixed lines."""
    hostile = written(kind, "a\n#ff0000\udcff*/ }\r\n", ["#010203"])
    plain = written(kind, "a", ["#010203"])
    assert hostile.count(b"\n") == plain.count(b"\n") or kind in ("ase", "aco")


@given(named)
@example((PaletteColor(1, 2, 3, "a */ b", "*/"),))
def test_css_tells_names_in_comments(colors: tuple[PaletteColor, ...]) -> None:
    """Names and codes stand behind their colours, and never end the comment that they stand in."""
    text = write_palette("css", Palette(colors)).decode("utf-8")
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split()

    assert bare[2:-1:2] == [f"--color-{row}:" for row in range(1, len(colors) + 1)]
    assert bare[3:-1:2] == [f"{one.hex};" for one in colors]


@given(named)
def test_csv_is_a_table_that_no_spreadsheet_runs(colors: tuple[PaletteColor, ...]) -> None:
    """Every row has its cells, and none begins as a formula does."""
    rows = list(csv.reader(io.StringIO(write_palette("csv", Palette(colors), [0.5] * len(colors)).decode("utf-8"))))

    assert rows[0] == ["hex", "name", "code", "share"]
    assert [(row[0], row[3]) for row in rows[1:]] == [(one.hex, "0.500000") for one in colors]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows[1:] for cell in row)


def test_act_and_pal_follow_their_formats() -> None:
    """A color table has 772 bytes and says how many are taken; a JASC palette counts its lines, which end in CRLF."""
    colors = ["#010203", "#ffff00"]

    assert written("act", "any", colors) == bytes([1, 2, 3, 255, 255, 0]) + bytes(762) + b"\0\2\xff\xff"
    assert written("pal", "any", colors) == b"JASC-PAL\r\n0100\r\n2\r\n1 2 3\r\n255 255 0\r\n"
