"""The charts that come along: palettes by a word, in files of their own that tell source and licence."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from flatpipe.palettes.palette import Palette
from flatpipe.palettes.read import palette_of

CHARTS = {
    "acep-7": "e-paper panels of seven colours (E Ink Gallery), as a driver takes them",
    "black-white": "black and white",
    "c64": "Commodore 64, computed from its measured signal",
    "css": "the 148 colours with names of style sheets",
    "ega": "CGA and EGA, 16 colours",
    "game-boy": "the four greens of the first Game Boy",
    "grey-4": "four greys in equal steps",
    "grey-8": "eight greys in equal steps",
    "pico-8": "the fantasy console PICO-8, 16 colours",
    "spectra-6": "e-paper panels of six colours (E Ink Spectra 6), measured",
}
# ^ what a user may write for a file, and what it is


def is_chart(text: str) -> bool:
    """Whether a text is the word of a chart, in either case of letters."""
    return text.strip().lower() in CHARTS


@cache
def chart(word: str) -> Palette:
    """The chart of that word, which `is_chart` knows."""
    name = f"{word.strip().lower()}.gpl"
    return palette_of((files("flatpipe.palettes") / "charts" / name).read_bytes(), name)
