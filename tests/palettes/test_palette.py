"""Palettes with names."""

from __future__ import annotations

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.palettes.palette import Palette, PaletteColor

levels = st.integers(0, 255)


@given(levels, levels, levels)
def test_a_color_and_its_hex_are_one(red: int, green: int, blue: int) -> None:
    """Every colour comes back from its hex, with the name and code that it is given."""
    color = PaletteColor(red, green, blue, "Sky", "DMC 310")

    assert PaletteColor.of_hex(color.hex, "Sky", "DMC 310") == color
    assert np.array_equal(Palette((color,)).rgb, np.array([[red, green, blue]], dtype=np.uint8))


def test_a_color_is_looked_up_by_hex() -> None:
    """The first of several entries of a colour is found, in either case of letters; of a stranger nothing is."""
    palette = Palette((PaletteColor(1, 2, 3, "first"), PaletteColor(1, 2, 3, "second"), PaletteColor(171, 0, 0)))

    assert palette.find("#010203") == PaletteColor(1, 2, 3, "first")
    assert palette.find("#AB0000") == palette.colors[2]
    assert palette.find("#ffffff") is None
    assert pickle.loads(pickle.dumps(palette)) == palette
    assert palette.rgb.shape == (3, 3)
    assert palette.hex_colors == ("#010203", "#010203", "#ab0000")
