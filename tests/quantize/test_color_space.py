"""Spaces: known values, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.quantize.color_space import (
    OKLAB_UNIT,
    from_space,
    lightness,
    lightness_of,
    mixed,
    oklab_to_srgb,
    srgb_to_lab,
    srgb_to_oklab,
    to_space,
)

GRID = np.stack(np.meshgrid(*[np.arange(0, 256, 5)] * 3), axis=-1).reshape(-1, 3).astype(np.uint8)


@pytest.mark.parametrize("space", ["rgb", "oklab"])
def test_every_color_survives_the_space(space):
    """Into the space's whole numbers and back, no colour of a dense grid changes."""
    assert np.array_equal(from_space(to_space(GRID, space).astype(float), space), GRID)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=40))
def test_the_mean_of_greys_is_a_grey(levels: list[int]) -> None:
    """Whatever greys are averaged in Oklab, what comes out has one level, between the darkest and the lightest."""
    greys = np.repeat(np.array(levels, np.uint8)[:, None], 3, axis=1)
    (mean,) = from_space(to_space(greys, "oklab").mean(axis=0, keepdims=True), "oklab").tolist()

    assert mean == [mean[0]] * 3
    assert min(levels) <= mean[0] <= max(levels)


def test_oklab_of_known_colors():
    """White is L 1 without colour, red is what Ottosson's table of examples gives, black is nothing."""
    white, red, black = srgb_to_oklab(np.array([[255, 255, 255], [255, 0, 0], [0, 0, 0]], np.uint8))
    assert np.allclose(white, [1, 0, 0], atol=1e-6)
    assert np.allclose(red, [0.62796, 0.22486, 0.12585], atol=1e-4)
    assert np.allclose(black, 0)


def test_oklab_inverse_is_exact():
    """Without rounding, the way there and back returns the level to a thousandth."""
    assert np.abs(oklab_to_srgb(srgb_to_oklab(GRID)) - GRID).max() < 1e-3


def test_lab_is_scikit_image_s():
    """CIE Lab equals scikit-image's to four digits."""
    from skimage.color import rgb2lab

    assert np.abs(srgb_to_lab(GRID) - rgb2lab(GRID)).max() < 1e-3


def test_means_outside_the_gamut_are_clipped():
    """A mean that no screen can show becomes the nearest level of each channel."""
    assert from_space(np.array([[300.2, -4.0, 128.5]]), "rgb").tolist() == [[255, 0, 128]]
    assert from_space(np.array([[1.2 * OKLAB_UNIT, 0, 0]]), "oklab").tolist() == [[255, 255, 255]]


def test_lightness_rises_from_black_to_white():
    """Greys are ordered by level, and green is lighter than red, red than blue."""
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    assert (np.diff(lightness(greys)) > 0).all()
    red, green, blue = lightness(np.eye(3, dtype=np.uint8) * 255)
    assert green > red > blue


def test_lightness_of_one_color_is_that_of_many():
    """The kernel that orders palettes agrees to the last unit with the arrays of other rooms: a lattice, all greys."""
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    for colors in (GRID, greys):
        assert [lightness_of(*color) for color in colors] == lightness(colors).tolist()


def test_mixing_begins_with_one_color_and_ends_with_the_other():
    """No level is lost on the way into linear light and back, and the way back is the way there."""
    before, after = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    steps = [mixed(before, after, part, 4) for part in range(5)]
    assert np.array_equal(steps[0], before)
    assert np.array_equal(steps[4], after)
    assert np.array_equal(steps[1], mixed(after, before, 3, 4))
    assert (np.diff(np.array(steps).astype(int), axis=0) * np.sign(after.astype(int) - before) >= 0).all()
