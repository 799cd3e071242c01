"""The charts that come along."""

from __future__ import annotations

import math
from importlib.resources import files

import pytest
from PIL import ImageColor

from flatpipe.palettes.charts import CHARTS, chart, is_chart
from flatpipe.palettes.read import palette_of

FOLDER = files("flatpipe.palettes") / "charts"
SIZES = {
    **{"acep-7": 7, "black-white": 2, "c64": 16, "css": 148, "ega": 16, "game-boy": 4},
    **{"grey-4": 4, "grey-8": 8, "pico-8": 16, "spectra-6": 6},
}


def test_every_chart_has_its_file_and_every_file_its_word() -> None:
    """The words and the files of the package are the same, and each is as large as its name says."""
    assert {file.name for file in FOLDER.iterdir()} == {f"{word}.gpl" for word in CHARTS}
    assert {word: len(chart(word)) for word in CHARTS} == SIZES
    assert is_chart("Pico-8 ")
    assert not is_chart("pico-8.gpl")


@pytest.mark.parametrize("word", CHARTS)
def test_a_chart_tells_licence_title_and_names(word: str) -> None:
    """Each file says under which licence its values stand; every colour has a name of its own."""
    text = (FOLDER / f"{word}.gpl").read_text(encoding="utf-8")
    palette = chart(word)

    assert "\n# Licence: " in text
    assert "\n# Source: " in text or word == "black-white"
    assert palette.title not in ("", word)
    assert len({color.name for color in palette.colors} - {""}) == len(palette)
    assert word == "css" or palette.notes == ()
    assert palette == palette_of(text.encode(), f"{word}.gpl")


def test_css_names_are_those_of_pillow() -> None:
    """Each name means the colour that others take it for."""
    assert {color.name: color.hex for color in chart("css").colors} == {
        name: "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(name)) for name in ImageColor.colormap
    }


def test_ega_is_computed() -> None:
    """Bits of intensity, red, green and blue make the colours, but for brown, which a circuit of the monitor makes."""
    rgbi = [tuple(85 * (2 * (row >> bit & 1) + (row >> 3)) for bit in (2, 1, 0)) for row in range(16)]
    rgbi[6] = (170, 85, 0)

    assert [tuple(color) for color in chart("ega").rgb.tolist()] == rgbi


LUMA = [0, 32, 10, 20, 12, 16, 8, 24, 12, 8, 16, 10, 15, 24, 15, 20]
HUE = [None, None, 4, 12, 2, 10, 15, 7, 5, 6, 4, None, None, 10, 15, None]
# ^ of the VIC-II, measured by Philip Timmermann: luma in 32nds of white, hue in 16ths of a turn from half a step on


def test_c64_is_computed() -> None:
    """The chip's luma and hue give the chart: PAL's formula, saturation 40, contrast 120 %, gamma 2.8 shown at 2.2."""
    assert [tuple(color) for color in chart("c64").rgb.tolist()] == [
        vic(*signal) for signal in zip(LUMA, HUE, strict=True)
    ]


def vic(luma: int, hue: int | None) -> tuple[int, ...]:
    angle, saturation = math.radians(22.5 * ((hue or 0) + 0.5)), 0 if hue is None else 40
    y, u, v = 8 * luma, math.cos(angle) * saturation, math.sin(angle) * saturation
    shown = (1.2 * level for level in (y + 1.140 * v, y - 0.396 * u - 0.581 * v, y + 2.029 * u))
    return tuple(round(255 * (min(255, max(0, level)) / 255) ** (2.8 / 2.2)) for level in shown)
