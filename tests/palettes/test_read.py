"""Palette files as other programs write them."""

from __future__ import annotations

import io

import pytest
from palette_builders import ASE_END, aco, ase, ase_color, ase_group, png, png_part, riff
from PIL import Image

from flatpipe.palettes.palette import PaletteColor
from flatpipe.palettes.read import palette_of

BLACK, RED, GREEN = PaletteColor(0, 0, 0), PaletteColor(255, 0, 0), PaletteColor(0, 128, 0)


def named(color: PaletteColor, name: str = "", code: str = "") -> PaletteColor:
    return PaletteColor(color.red, color.green, color.blue, name, code)


TEXTS = {
    "first.gpl": (b"GIMP Palette\n# old\n0 0 0 Black\n255   0 0\tRed [7]\n", [("Black", ""), ("Red", "7")]),
    "second.gpl": (
        b"GIMP Palette\r\nName: Two\r\nColumns: 4\r\n#\r\n  0   0   0\tUntitled\r\n255 0 0 Deep red\r\n",
        [("", ""), ("Deep red", "")],
    ),
    "aseprite.gpl": (b"GIMP Palette\nChannels: RGBA\n#\n0 0 0 255 Black\n255 0 0 7\tRed", [("Black", ""), ("Red", "")]),
    "jasc.pal": (b"JASC-PAL\r\n0100\r\n2\r\n0 0 0\r\n255 0 0\r\n", [("", "")] * 2),
    "lospec.hex": (b"000000\nFF0000\n", [("", "")] * 2),
    "paint.txt": (b";paint.net Palette File\r\n; made by hand\r\nFF000000\r\nFFFF0000\r\n", [("", "")] * 2),
    "web.txt": (b"// two\n# two\n#000 Black\n#ff0000ff Red [7]\n", [("Black", ""), ("Red", "7")]),
    "0x.txt": (b"0x000000\n0xff0000", [("", "")] * 2),
    "chart.csv": (b"\xef\xbb\xbfcode;name;hex\r\n310;Black;000000\r\n 321;\"Red; deep\";#FF0000\r\n",
                  [("Black", "310"), ("Red; deep", "321")]),
    "dmc.csv": (b'Floss#,Description,R,G,B,RGB code\n310,Black,0,0,0,000000\n321,"Red ""deep""",1,1,1,FF0000\n',
                [("Black", "310"), ('Red "deep"', "321")]),
    "levels.csv": (b"name\tred\tgreen\tblue\nBlack\t0\t0\t0\nRed\t255\t0\t0\n", [("Black", ""), ("Red", "")]),
    "bare.csv": (b"# mine\n#000000,Black,310\n#ff0000,Red\n\n", [("Black", "310"), ("Red", "")]),
    "quoted.csv": (b'#000000;"a, b, c"\n#ff0000;Red\n', [("a, b, c", ""), ("Red", "")]),
    "bare levels.csv": (b"0,0,0,Black\n255,0,0,Red\n", [("Black", ""), ("Red", "")]),
    "sheet.csv": ("hex,name,code\n#000000,'=A1,\n#f00,''n,'-1\n".encode("utf-16"), [("=A1", ""), ("'n", "-1")]),
    "no suffix": (b"hex,name\n#000000,Black\n#ff0000,Red\n", [("Black", ""), ("Red", "")]),
    "old.csv": ("hex,name\n000000,d\u2019\u00e9b\u00e8ne\nff0000,Red".encode("cp1252"),
                [("d\u2019\u00e9b\u00e8ne", ""), ("Red", "")]),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_read_as_others_write_it(name: str) -> None:
    """Versions, line ends, marks, delimiters, order of columns and quotes: black and red come out with their names."""
    content, called = TEXTS[name]
    palette = palette_of(content, name)

    assert palette.colors == (named(BLACK, *called[0]), named(RED, *called[1]))


def test_titles_are_those_of_the_file() -> None:
    """A palette is called what its format says, and else like its file."""
    assert palette_of(TEXTS["second.gpl"][0], "a/b.gpl").title == "Two"
    assert palette_of(TEXTS["lospec.hex"][0], "a/lospec.v2.hex").title == "lospec.v2"
    assert palette_of(ase(ase_group("Brand"), ase_color(b"RGB ", [0, 0, 0]), ASE_END), "x.ase").title == "Brand"
    two = ase(ase_group("A"), ase_color(b"RGB ", [0, 0, 0]), ASE_END, ase_group("B"), ASE_END)
    assert palette_of(two, "x.ase").title == "x"


def test_content_tells_the_format_before_the_suffix_does() -> None:
    """A file with a wrong suffix, or with none, is read by what it holds."""
    contents = [TEXTS["first.gpl"][0], TEXTS["jasc.pal"][0], riff(b"\0\0\0\0\xff\0\0\0", 2), png(b"\0\0\0\xff\0\0")]
    contents += [ase(ase_color(b"RGB ", [0, 0, 0]), ase_color(b"RGB ", [1, 0, 0]))]
    contents += [aco((0, 0, 0, 0, 0), (0, 65535, 0, 0, 0))]

    for content in contents:
        for suffix in (".txt", ".act", ".csv", ""):
            assert palette_of(content, f"a{suffix}").hex_colors == ("#000000", "#ff0000")
    assert len(palette_of(bytes(range(256)) * 3, "table")) == 256


def test_ase_reads_every_model() -> None:
    """RGB, grey, CMYK and Lab become sRGB, and what was converted is said, with how many."""
    values = [(b"RGB ", [1, 0.5, 0]), (b"Gray", [0.5]), (b"CMYK", [0, 1, 1, 0.5]), (b"LAB ", [0.5, 0, 0])]
    palette = palette_of(ase(*(ase_color(model, numbers) for model, numbers in values)), "a.ase")

    assert palette.hex_colors == ("#ff8000", "#808080", "#800000", "#777777")
    assert palette.notes == (
        "1 colour of CMYK, converted by the plain formula: a palette file has no profile",
        "1 colour of Lab, converted from D50",
    )


def test_aco_reads_every_space() -> None:
    """RGB of either scale, HSB, CMYK as inverted ink, Lab with signs, grey as ink and wide CMYK become sRGB."""
    colors = [(0, 65535, 257 * 128, 0, 0), (0, 0xFF00, 0x8000, 0, 0), (1, 21845, 65535, 65535, 0)]
    colors += [(2, 65535, 0, 0, 32768), (7, 5000, 0, 0, 0), (7, 5300, 0x10000 - 2000, 2000, 0)]
    colors += [(8, 10000, 0, 0, 0), (9, 0, 10000, 10000, 5000)]
    names = ["orange", "orange [2]", "green", "Łódź", "grey", "", "black", "👩‍🎨"]
    palette = palette_of(aco(*colors, names=names), "a.aco")

    assert palette.hex_colors[:5] == ("#ff8000", "#ff8000", "#00ff00", "#800000", "#777777")
    assert palette.hex_colors[6:] == ("#000000", "#008080")
    assert [(color.name, color.code) for color in palette.colors[:4]] == [
        ("orange", ""),
        ("orange", "2"),
        ("green", ""),
        ("Łódź", ""),
    ]
    assert palette_of(aco(*colors), "a.aco").hex_colors == palette.hex_colors


def test_act_counts_its_colors() -> None:
    """Without its last four bytes a table has 256 colours, with them as many as they say; a transparent row is told."""
    table = bytes([1, 2, 3, 4, 5, 6]) + bytes(762)

    assert len(palette_of(table, "a.act")) == 256
    short = palette_of(table + b"\0\2\0\1", "a.act")
    assert short.hex_colors == ("#010203", "#040506")
    assert short.notes == ("row 1 is transparent there, and read as its colour",)
    assert palette_of(table + b"\0\2\xff\xff", "a.act").notes == ()


def test_an_indexed_png_gives_its_palette() -> None:
    """Colours come in the order of the index, unused ones too, as Pillow wrote them; opacity and profile are told."""
    image = Image.new("P", (2, 1))
    image.putpalette([1, 2, 3, 4, 5, 6, 7, 8, 9])
    content = io.BytesIO()
    image.save(content, "PNG")
    assert palette_of(content.getvalue(), "a.png").hex_colors[:3] == ("#010203", "#040506", "#070809")

    told = palette_of(png(b"\1\2\3\4\5\6", png_part(b"tRNS", b"\xff\0"), png_part(b"iCCP", b"x\0\0")), "a.png")
    assert told.notes == ("its opacity is not read, that of row 1", "its colour profile is not applied")


def test_what_is_odd_is_told() -> None:
    """Colours that come twice, opacities, old encodings and broken names are kept or replaced, and said."""
    assert palette_of(b"#000000\n#000000\n#000\n", "a.txt").notes == ("2 colours that had stood in it before, kept",)
    assert palette_of(TEXTS["aseprite.gpl"][0], "a.gpl").notes == ("2 colours with an opacity, which is not read",)
    assert palette_of(TEXTS["old.csv"][0], "a.csv").notes == ("its text is not UTF-8, and was read as Windows-1252",)
    broken = palette_of(ase(ase_color(b"RGB ", [0, 0, 0], b"\0\3\0a\xd8\0\0\0")), "a.ase")
    assert broken.colors == (named(BLACK, "a\ufffd"),)
    assert broken.notes == ("1 colour with a name that is not UTF-16 throughout",)
    short = palette_of(ase(ase_color(b"RGB ", [0, 0, 0]), ase_color(b"RGB ", [1, 0, 0]), count=1), "a.ase")
    assert short.notes == ("its header counts 1 block, 2 were there",)
