"""The record of a palette and a label map."""

from __future__ import annotations

import numpy as np
import pytest

from flatpipe.quantize.palette_image import FlattenedImage, PaletteImage

BLACK_AND_RED = np.array([[0, 0, 0], [255, 0, 0]], np.uint8)


@pytest.mark.parametrize(
    ("palette", "label_map", "words"),
    [
        (np.zeros((0, 3), np.uint8), np.zeros((2, 2), np.uint8), "a palette is"),
        (np.zeros((257, 3), np.uint8), np.zeros((2, 2), np.uint8), "a palette is"),
        (np.zeros((2, 4), np.uint8), np.zeros((2, 2), np.uint8), "a palette is"),
        (np.zeros(3, np.uint8), np.zeros((2, 2), np.uint8), "a palette is"),
        (BLACK_AND_RED.astype(float), np.zeros((2, 2), np.uint8), "a palette is .* float64"),
        (BLACK_AND_RED, np.zeros((2, 2), np.int64), "a label map is .* int64"),
        (BLACK_AND_RED, np.zeros((2, 2, 1), np.uint8), "a label map is"),
        (BLACK_AND_RED, np.zeros((0, 2), np.uint8), "a label map is"),
        (BLACK_AND_RED, np.array([[0, 2]], np.uint8), "label 2 has no colour in a palette of 2"),
    ],
)
def test_what_cannot_be_is_refused(palette, label_map, words):
    """Arrays of another shape or type, and labels without a colour, are errors that say what is wrong."""
    with pytest.raises(ValueError, match=words):
        PaletteImage(palette, label_map)


@pytest.mark.parametrize("n_colors", [1, 2, 255, 256])
def test_flat_paints_each_pixel_in_its_colour(n_colors):
    """`flat` is the palette's row of each label; every size of palette up to 256 is one."""
    palette = np.random.default_rng(n_colors).integers(0, 256, (n_colors, 3), dtype=np.uint8)
    label_map = np.arange(n_colors, dtype=np.uint8).repeat(2).reshape(2, -1)
    image = PaletteImage(palette, label_map)
    assert image.n_colors == n_colors
    for y, x in np.ndindex(label_map.shape):
        assert (image.flat[y, x] == palette[label_map[y, x]]).all()


def test_hex_colors_are_those_of_the_palette():
    """Each colour is written as six hex digits, zeros kept."""
    palette = np.array([[0, 10, 255], [1, 2, 3]], np.uint8)
    assert PaletteImage(palette, np.zeros((1, 1), np.uint8)).hex_colors == ("#000aff", "#010203")


def test_shares_are_parts_of_the_weights():
    """A colour's share is its weight over all weights, whatever these count."""
    image = FlattenedImage(BLACK_AND_RED, np.array([[0, 1, 1]], np.uint8), np.array([255, 765]), 0.0)
    assert image.shares.tolist() == [0.25, 0.75]
