"""Palette files that are broken, or want to do harm: each is one clear sentence, in little time and memory."""

from __future__ import annotations

import gzip
import math
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from palette_builders import ASE_END, aco, ase, ase_color, ase_group, png, png_part, riff

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette, PaletteColor
from flatpipe.palettes.read import palette_of
from flatpipe.palettes.write import write_palette

RGB = ase_color(b"RGB ", [0, 0, 0])
MANY = 65_537
MEGABYTES = 200
# ^ that no file of 16 MiB may take

BROKEN: dict[str, tuple[str, bytes, str]] = {
    # what it is: file name, content, what is said behind the name
    "nothing": ("a.gpl", b"", "the file is empty"),
    "zeros": ("a.gpl", bytes(100), "byte 0: neither text nor a format of palettes that is known"),
    "binary junk": ("a.pal", b"MZ\x90\0\3\0\0\0", "byte 3: neither text nor a format of palettes that is known"),
    "gzip": ("a.gpl.gz", gzip.compress(b"GIMP Palette\n"), "it is compressed with gzip; GIMP"),
    "an archive": ("a.kpl", b"PK\3\4aaaa", "it is a ZIP archive, as .kpl, .sbz, .swatches and spreadsheets are; GIMP"),
    "a JPEG": ("a.png", b"\xff\xd8\xff\xe0", "it is a JPEG; GIMP"),
    "XML": ("a.soc", b"<?xml version='1.0'?>", "it is XML or HTML; GIMP"),
    "a line of text": ("a.gpl", b"hello\n", "line 1: it does not begin as a .gpl that is read does; GIMP"),
    "a style sheet": ("a.css", b"/* a */\n:root {}\n", "line 1: it does not begin as a .css that is read does; GIMP"),
    "a book": ("a", b"It was the best of times\n", "line 1: 'It was the best of times' is no colour; #rrggbb is"),
    # GIMP
    "GIMP, no colour": ("a.gpl", b"GIMP Palette\nName: x\n#\n", "it holds no colour; 1 to 65,536 are allowed"),
    "GIMP, cut off": ("a.gpl", b"GIMP Palette\n0 0\n", "line 2: '0 0' does not begin with three levels, each 0 to 255"),
    "GIMP, too light": ("a.gpl", b"GIMP Palette\n\n0 256 0 x\n", "line 3: '256' is no level; 0 to 255 are"),
    "GIMP, negative": ("a.gpl", b"GIMP Palette\n0 0 -1 x\n", "line 2: '-1' is no level; 0 to 255 are"),
    "GIMP, fractions": ("a.gpl", b"GIMP Palette\n0.5 0 0\n", "line 2: '0.5 0 0' does not begin with three levels"),
    "GIMP, NaN": ("a.gpl", b"GIMP Palette\nnan nan nan\n", "line 2: 'nan nan nan' does not begin with three levels"),
    "GIMP, long": ("a.gpl", b"GIMP Palette\n" + b"9" * 9000 + b" 0 0", f"line 2: '{'9' * 40}...' is no level"),
    "GIMP, zeros": ("a.gpl", b"GIMP Palette\n" + b"0" * 9000 + b" 0 0", f"line 2: '{'0' * 40}...' is no level"),
    "GIMP, endless": ("a.gpl", b"GIMP Palette\n" + b"0 0 0\n" * MANY, "it holds more than 65,536 colours; 1 to 65,536"),
    "GIMP, escapes": ("a.gpl", b"GIMP Palette\n\x1b[31m!\n", r"line 2: '\x1b[31m!' does not begin with three levels"),
    # JASC and RIFF
    "JASC, its head": ("a.pal", b"JASC-PAL\n", "line 2: version '' of the format is not known; 0100 is"),
    "JASC, version": ("a.pal", b"JASC-PAL\n0200\n1\n0 0 0\n", "line 2: version '0200' of the format is not known"),
    "JASC, no count": ("a.pal", b"JASC-PAL\n0100\n", "line 3: '' is not how many colours follow, as a whole number"),
    "JASC, count": ("a.pal", b"JASC-PAL\n0100\n-1\n", "line 3: '-1' is not how many colours follow"),
    "JASC, short": ("a.pal", b"JASC-PAL\n0100\n3\n0 0 0\n", "line 3: it counts '3' colours, and 1 follow"),
    "JASC, long": ("a.pal", b"JASC-PAL\n0100\n1\n0 0 0\n1 1 1\n", "line 3: it counts '1' colours, and 2 follow"),
    "JASC, 10 million": ("a.pal", b"JASC-PAL\n0100\n10000000\n0 0 0\n", "line 3: it counts '10000000' colours, and 1"),
    "RIFF, a sound": ("a.pal", riff(b"", 0, kind=b"WAVE"), "byte 8: a RIFF file of the kind 'WAVE'; a palette's is"),
    "RIFF, its head": ("a.pal", b"RIFF\0\0\0\0PAL ", "byte 12: the list of colours is cut off, 8 bytes short"),
    "RIFF, count": ("a.pal", riff(b"\0\0\0\0", 9), "byte 22: it counts 9 colours, and has room for 1"),
    "RIFF, size": ("a.pal", riff(b"\0\0\0\0", 1, size=10**9), "byte 20: the part 'data' is cut off, 999,999,992"),
    "RIFF, version": ("a.pal", riff(b"\0\0\0\0", 1, version=7), "byte 20: version 0x0007 of the format is not known"),
    "RIFF, no colour": ("a.pal", riff(b"", 0), "it holds no colour"),
    # Adobe
    "ASE, its head": ("a.ase", b"ASEF\0\1", "byte 4: the header is cut off, 6 bytes short"),
    "ASE, version": ("a.ase", ase(RGB, version=(2, 1)), "byte 4: version 2.1 of the format is not known; 1.0 is"),
    "ASE, no colour": ("a.ase", ase(ase_group("x"), ASE_END), "it holds no colour"),
    "ASE, 10 million": ("a.ase", ase(RGB, count=10_000_000), "byte 8: it counts 10,000,000 blocks, and ends after 1"),
    "ASE, cut off": ("a.ase", ase(RGB)[:-1], "byte 18: a block is cut off, 1 byte short"),
    "ASE, a long block": ("a.ase", ase(b"\0\1\xff\xff\xff\xff"), "byte 18: a block is cut off, 4,294,967,295"),
    "ASE, a long name": ("a.ase", ase(ase_color(b"RGB ", [0, 0, 0], b"\xff\xff")), "byte 20: a name is cut off"),
    "ASE, a model": ("a.ase", ase(ase_color(b"HSB ", [0, 0, 0])), "byte 24: 'HSB' is no model of colours; RGB, CMYK"),
    "ASE, few numbers": ("a.ase", ase(ase_color(b"CMYK", [0])), "byte 28: a colour is cut off, 10 bytes short"),
    "ASE, NaN": ("a.ase", ase(ase_color(b"RGB ", [0, math.nan, 0])), "byte 24: nan in a colour of 'RGB' lies"),
    "ASE, infinite": ("a.ase", ase(ase_color(b"CMYK", [math.inf, 0, 0, 0])), "byte 24: inf in a colour of 'CMYK'"),
    "ASE, negative": ("a.ase", ase(ase_color(b"Gray", [-0.5])), "byte 24: -0.5 in a colour of 'GRAY'"),
    "ASE, Lab": ("a.ase", ase(ase_color(b"LAB ", [50, 0, 0])), "byte 24: 50 in a colour of 'LAB' lies beyond 0 to 1"),
    "ASE, endless": ("a.ase", ase(RGB * MANY, count=1), "it holds more than 65,536 colours"),
    "ASE, groups": ("a.ase", ase(ASE_END * 300_000), "byte 1,572,882: it has more than 262,144 blocks"),
    "ACO, its head": ("a.aco", b"\0\1", "byte 0: the header is cut off, 2 bytes short"),
    "ACO, version": ("a.aco", b"\0\7\0\1", "byte 0: version 7 of the format is not known; 1 and 2 are"),
    "ACO, no colour": ("a.aco", aco(), "it holds no colour"),
    "ACO, count": ("a.aco", aco((0, 0, 0, 0, 0), count=9), "byte 4: the list of 9 colours is cut off, 80 bytes short"),
    "ACO, names": ("a.aco", aco((0, 0, 0, 0, 0), names=["a"])[:-1], "byte 32: a name is cut off, 1 byte short"),
    "ACO, second": ("a.aco", aco((0, 0, 0, 0, 0)) + b"\0\3\0\1", "byte 14: version 3 of the format is not known"),
    "ACO, Pantone": ("a.aco", aco((3, 0, 0, 0, 0)), "byte 4: a colour of Pantone is a number in a book, not sRGB; RGB"),
    "ACO, a space": ("a.aco", aco((77, 0, 0, 0, 0)), "byte 4: colour space 77 is not known; RGB, HSB, CMYK, Lab"),
    "ACO, Lab": ("a.aco", aco((7, 10_001, 0, 0, 0)), "byte 4: 10,001 in a colour of space 7 lies beyond 0 to 10,000"),
    "ACT, cut off": ("a.act", bytes(700), "a color table (.act) has 768 or 772 bytes, and this file 700"),
    "ACT, no colour": ("a.act", bytes(768) + b"\0\0\xff\xff", "byte 768: it says that it has 0 colours; 1 to 256"),
    "ACT, count": ("a.act", bytes(768) + b"\xff\xff\0\0", "byte 768: it says that it has 65,535 colours; 1 to 256"),
    # lists and tables
    "hex, a letter": ("a.hex", b"000000\n00000g\n", "line 2: '00000g' is no colour; #rrggbb is"),
    "hex, seven digits": ("a.hex", b"0000000\n", "line 1: '0000000' is no colour; #rrggbb is"),
    "hex, only remarks": ("a.txt", b"; nothing\n\n", "it holds no colour"),
    "hex, endless": ("a.hex", b"000000\n" * MANY, "it holds more than 65,536 colours"),
    "UTF-16, odd": ("a.txt", "000000\n".encode("utf-16") + b"\0", "byte 16: it begins as UTF-16, and is not"),
    "UTF-16, broken": ("a.txt", b"\xff\xfe0\0\0\xd80\0", "byte 4: it begins as UTF-16, and is not from here on"),
    "CSV, no header": ("a.csv", b"name,code\nx,1\n", "line 1: no column of colours; name one hex, or three r, g and b"),
    "CSV, only a header": ("a.csv", b"hex,name\n", "it holds no colour"),
    "CSV, blank": ("a.csv", b"\n,,\n", "line 1: no column of colours"),
    "CSV, a hole": ("a.csv", b"hex,name\n000000,a\n,b\n", "line 3: '' is no colour; #rrggbb is"),
    "CSV, a short row": ("a.csv", b"name,hex\na,000000\nb\n", "line 3: '' is no colour; #rrggbb is"),
    "CSV, lost zeros": ("a.csv", b"hex\n0\n", "line 2: '0' is no colour; #rrggbb is, and spreadsheets take zeros away"),
    "CSV, a formula": ("a.csv", b'hex,name\n"=HYPERLINK(""http://x"")",a\n', "line 2: '=HYPERLINK(\"http://x\")' is"),
    "CSV, levels": ("a.csv", b"r,g,b\n1,2,300\n", "line 2: '300' is no level; 0 to 255 are"),
    "CSV, NaN": ("a.csv", b"r,g,b\nnan,0,0\n", "line 2: 'nan' is no level; 0 to 255 are"),
    "CSV, an open quote": ("a.csv", b'hex,name\n000000,"a\n' + b"000000,b\n" * 9, "line 11: no table that can"),
    "CSV, a huge cell": ("a.csv", b"hex,name\n000000," + b"a" * 200_000, "line 2: no table that can"),
    "CSV, wide": ("a.csv", b"hex,name\n" + b"," * 5000, "line 2: it has more than 1,000 columns"),
    "CSV, endless": ("a.csv", b"hex\n" + b"000000\n" * MANY, "it holds more than 65,536 colours"),
    # PNG
    "PNG, its sign": ("a.png", b"\x89PNG\r\n\x1a\n", "byte 8: the palette (PLTE) is cut off, 8 bytes short"),
    "PNG, true colour": ("a.png", png(None, kind=2), "byte 16: a PNG of true colour; an indexed one has a palette"),
    "PNG, grey": ("a.png", png(b"\0\0\0", kind=0), "byte 16: a PNG of grey; an indexed one has a palette"),
    "PNG, no palette": ("a.png", png(None), "it holds no colour"),
    "PNG, a rest": ("a.png", png(b"\0\0\0\0"), "byte 57: a palette of 4 bytes; three for each of 1 to 256"),
    "PNG, large": ("a.png", png(bytes(771)), "byte 824: a palette of 771 bytes; three for each of 1 to 256"),
    "PNG, damaged": ("a.png", png(b"\0\0\0").replace(b"PLTE\0\0\0", b"PLTE\1\0\0"), "byte 41: the checksum of"),
    "PNG, a long part": ("a.png", png(b"\0\0\0")[:33] + b"\xff\xff\xff\xffPLTE", "byte 41: the part 'PLTE' is cut off"),
    "PNG, a short head": ("a.png", b"\x89PNG\r\n\x1a\n" + png_part(b"IHDR", b"\0"), "byte 16: a PNG of no known"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_one_sentence(what: str) -> None:
    """It names the file, the line or byte, and what is allowed; it is one line that any terminal shows."""
    name, content, said = BROKEN[what]

    with pytest.raises(ConfigError) as caught:
        palette_of(content, f"some/{name}")
    words = str(caught.value)
    assert words.startswith(f"some/{name}: {said}")
    assert words.isprintable()
    assert len(words) < 300


def samples() -> dict[str, bytes]:
    """One file of each format, as we write it, with names."""
    palette = Palette(tuple(PaletteColor(row, 2 * row, 255 - row, f"Łódź {row}", f"A{row}") for row in range(20)), "t")
    written = {kind: write_palette(kind, palette) for kind in ("gpl", "ase", "aco", "act", "pal", "csv", "hex")}  # type: ignore[arg-type]
    return {**written, "png": png(bytes(range(60))), "riff": riff(bytes(80), 20)}


def said_of(content: bytes, name: str) -> str:
    """The sentence that refuses a file; "" when it is read, and then it holds a colour."""
    try:
        assert len(palette_of(content, name)) >= 1
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", samples())
def test_a_file_cut_off_anywhere_is_a_palette_or_a_sentence(kind: str) -> None:
    """However short, a file gives no traceback; a binary one is refused wherever it ends before its last colour."""
    content = samples()[kind]
    said = [said_of(content[:end], f"a.{kind}") for end in range(len(content))]

    assert all(words.startswith(f"a.{kind}: ") for words in said if words)
    read = [end for end, words in enumerate(said) if not words]
    least = {"ase": len(content) - 6, "aco": 204, "act": 768, "png": 33 + 12 + 60, "riff": 24 + 80}.get(kind, 0)
    assert all(end >= least for end in read)


@given(st.sampled_from(sorted(samples())), st.data())
def test_changed_bytes_are_a_palette_or_a_sentence(kind: str, data: st.DataObject) -> None:
    """Whatever a few bytes become, there is no other error than a sentence."""
    content = bytearray(samples()[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    assert said_of(bytes(content), f"a.{kind}").isprintable()


@given(st.binary(max_size=200), st.sampled_from(["gpl", "ase", "aco", "act", "pal", "csv", "hex", "png", "txt", ""]))
def test_any_bytes_are_a_palette_or_a_sentence(content: bytes, suffix: str) -> None:
    """Whatever a file holds, there is no other error than a sentence."""
    assert said_of(content, f"a.{suffix}").isprintable()


SIXTEEN = 16 << 20
LARGE = {
    "lines": ("a.txt", b"\n" * SIXTEEN),
    "one line": ("a.hex", b"0" * SIXTEEN),
    "spaces": ("a.gpl", b"GIMP Palette\n1" + b" " * (SIXTEEN - 20) + b"x"),
    "commas": ("a.csv", b"," * SIXTEEN),
    "quotes": ("a.csv", b'hex,name\n"' + b'""' * (SIXTEEN // 2 - 10)),
    "remarks": ("a.csv", b"# \n" * (SIXTEEN // 3)),
    "groups": ("a.ase", ase(ASE_END * (SIXTEEN // 6 - 10))),
    "parts": ("a.png", png(None, png_part(b"teXt", b"") * (SIXTEEN // 12 - 10))),
    "chunks": ("a.pal", b"RIFF\0\0\0\0PAL " + b"junk\0\0\0\0" * (SIXTEEN // 8 - 10)),
}


@pytest.mark.parametrize("what", LARGE)
def test_the_largest_file_takes_little_memory(what: str) -> None:
    """A file of 16 MiB that is made to take long is refused after its first parts, in a few times its own memory."""
    name, content = LARGE[what]
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError):
            palette_of(content, name)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < MEGABYTES << 20
