"""Counting: the table and the index are the image, in another shape."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.octree import level_at, zorder
from tests.quantize.builders import noise, painting

few_levels = st.integers(0, 255).map(lambda level: level // 100 * 100)
images = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)), elements=few_levels)


@given(images)
def test_table_and_index_restore_the_pixels(pixels):
    """Looking every index up in the table gives the pixels back, and the counts are those of numpy.unique."""
    image = index_colors(pixels)
    colors, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    assert np.array_equal(image.pixels, pixels)
    in_order = np.lexsort(image.table.colors.T[::-1])
    assert np.array_equal(image.table.colors[in_order], colors)
    assert np.array_equal(image.table.counts[in_order], counts)


def test_table_is_sorted_along_the_z_order_curve():
    """Places on the curve rise strictly from row to row, and a place gives its colour back."""
    table = index_colors(painting(1)).table
    places = [int(zorder(*color)) for color in table.colors]
    assert all(here < there for here, there in pairwise(places))
    assert [[level_at(place, c) for c in range(3)] for place in places] == table.colors.tolist()


@given(images, st.randoms(use_true_random=False))
def test_shuffled_pixels_have_the_same_table(pixels, random):
    """Where a pixel lies does not matter for the table."""
    order = list(range(pixels.shape[0] * pixels.shape[1]))
    random.shuffle(order)
    shuffled = pixels.reshape(-1, 3)[order].reshape(pixels.shape)
    table, other = index_colors(pixels).table, index_colors(shuffled).table
    assert np.array_equal(table.colors, other.colors)
    assert np.array_equal(table.counts, other.counts)


def test_opacity_is_the_weight():
    """A colour counts as much as its pixels are opaque, and a hidden colour stays in the table with count 0."""
    pixels = np.array([[[1, 1, 1], [2, 2, 2]], [[1, 1, 1], [9, 9, 9]]], np.uint8)
    image = index_colors(pixels, np.array([[255, 7], [3, 0]], np.uint8))
    assert np.array_equal(image.pixels, pixels)
    assert dict(zip(map(tuple, image.table.colors.tolist()), image.table.counts.tolist(), strict=True)) == {
        (1, 1, 1): 258,
        (2, 2, 2): 7,
        (9, 9, 9): 0,
    }
    assert image.table.visible.size == 2


def test_a_wholly_transparent_image_is_black_throughout():
    """Without one opaque pixel no hidden colour is told: all pixels count, as black."""
    pixels = noise(0)
    image = index_colors(pixels, np.zeros(pixels.shape[:2], np.uint8))
    assert image.table.colors.tolist() == [[0, 0, 0]]
    assert image.table.counts.tolist() == [pixels[..., 0].size]
    assert not image.pixels.any()


def test_any_memory_layout_is_read_right():
    """Views with other strides, and read-only arrays, give the table of their copy."""
    pixels = noise(3)
    mirrored = pixels[::-1, ::-2]
    mirrored.flags.writeable = False
    assert np.array_equal(index_colors(mirrored).pixels, mirrored.copy())


@pytest.mark.parametrize(
    ("pixels", "alpha"),
    [
        (np.zeros((0, 4, 3), np.uint8), None),
        (np.zeros((4, 4), np.uint8), None),
        (np.zeros((4, 4, 4), np.uint8), None),
        (np.zeros((4, 4, 3), np.float64), None),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8)),
    ],
)
def test_other_arrays_are_refused(pixels, alpha):
    """Arrays of another shape or type are refused before a kernel reads them."""
    with pytest.raises(ValueError, match=r"must be"):
        index_colors(pixels, alpha)


def test_arrays_cannot_be_changed():
    """The table and index are shared between threads, so they are read-only."""
    image = index_colors(noise(1))
    for values in (image.index, image.table.colors, image.table.counts):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


def test_nbytes_counts_the_pyramid():
    """The worker's cache is told of what the image holds, the pyramid included."""
    image = index_colors(painting(1))
    before = image.nbytes
    assert before == image.index.nbytes + image.table.colors.nbytes + image.table.counts.nbytes
    assert image.nbytes == before
    pyramid = image.pyramid("rgb")
    assert image.nbytes == before + pyramid.nbytes > before
