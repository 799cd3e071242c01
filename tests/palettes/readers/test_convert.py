"""Colours of other spaces as sRGB."""

from __future__ import annotations

import colorsys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.palettes.readers.convert import of_cmyk, of_hsb, of_lab

level = st.integers(0, 255)
SRGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
# ^ linear sRGB to XYZ of D65; IEC 61966-2-1, Annex


@given(st.floats(0, 100), st.floats(-128, 127), st.floats(-128, 127))
def test_lab_is_adapted_from_d50(lightness: float, a: float, b: float) -> None:
    """Each level is that of the steps one by one: Lab to XYZ of D50, Bradford's cones to D65, sRGB."""
    found = of_lab(lightness, a, b)
    expected = adapted(lightness, a, b)

    beyond = np.abs(np.clip(expected, 0, 1) - expected).max() * 255
    assert found.is_clipped == (beyond > 0.5) or abs(beyond - 0.5) < 0.05
    assert np.abs(np.clip(expected, 0, 1) * 255 - found.levels).max() <= 0.55


def adapted(lightness: float, a: float, b: float) -> np.ndarray:
    """sRGB, not cut off, of a colour of Lab under D50, with Bradford's cones."""
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d50, d65 = np.array([0.9642956764, 1, 0.8251046025]), np.array([0.9504559270, 1, 1.0890577508])
    fy = (lightness + 16) / 116
    roots = np.array([fy + a / 500, fy, fy - b / 200])
    xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * d50
    moved = np.linalg.inv(cones) @ ((cones @ d65) / (cones @ d50) * (cones @ xyz))
    linear = np.linalg.inv(SRGB) @ moved
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055)


@given(level, level, level)
def test_cmyk_and_hsb_lead_back(red: int, green: int, blue: int) -> None:
    """Inks and hues that a level's plain formula gives lead back to the level."""
    parts = [value / 255 for value in (red, green, blue)]
    black = 1 - max(parts)
    inks = [(1 - value - black) / (1 - black) if black < 1 else 0.0 for value in parts]

    assert of_cmyk(inks[0], inks[1], inks[2], black) == (red, green, blue)
    assert of_hsb(*colorsys.rgb_to_hsv(*parts)) == (red, green, blue)
