"""The whole algorithm, seen from outside."""

from __future__ import annotations

import numpy as np
import pytest

from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.flatten import flatten_indexed, flatten_pixels
from flatpipe.quantize.metrics import mse


@pytest.fixture
def pixels():
    return np.random.default_rng(5).integers(0, 256, (40, 30, 3), dtype=np.uint8)


def test_index_restores_the_pixels(pixels):
    """The table and the index together are the image."""
    image = index_colors(pixels)
    assert np.array_equal(image.table.colors[image.index], pixels)
    assert image.table.counts.sum() == 1200


@pytest.mark.parametrize("k", [1, 2, 15, 256])
def test_palette_is_the_mean_of_its_pixels(pixels, k):
    """Each palette colour is the rounded mean of the pixels painted with it, and mse is that of the flat image."""
    flat = flatten_pixels(pixels, k)
    for row, color in enumerate(flat.palette):
        assert np.array_equal(np.rint(pixels[flat.label_map == row].mean(axis=0)), color)
    assert flat.mse == mse(pixels, flat.flat)
    assert flat.n_colors == k


def test_few_colors_come_back_exactly():
    """An image of no more than k colours is not changed."""
    pixels = np.array([[[1, 2, 3], [200, 1, 9]], [[1, 2, 3], [1, 2, 4]]], np.uint8)
    flat = flatten_indexed(index_colors(pixels), 5)
    assert flat.n_colors == 3
    assert flat.mse == 0
    assert np.array_equal(flat.flat, pixels)
