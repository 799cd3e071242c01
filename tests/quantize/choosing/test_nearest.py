"""The nearest colour, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flatpipe.quantize.choosing.nearest import nearest_rows
from flatpipe.quantize.color_space import to_space
from flatpipe.quantize.color_table import index_colors
from tests.quantize.builders import noise, photograph

spaces = st.sampled_from(["rgb", "oklab"])
levels = st.integers(0, 255) | st.sampled_from([0, 1, 2, 128, 254, 255])
palettes = arrays(np.uint8, st.tuples(st.integers(1, 80), st.just(3)), elements=levels)


def brute_force(colors, palette, space):
    """The row of the nearest colour in exact integers, the lowest of equals."""
    coordinates, targets = (to_space(values, space).astype(np.int64) for values in (colors, palette))
    return np.concatenate([
        ((part[:, None] - targets[None]) ** 2).sum(axis=2).argmin(axis=1)
        for part in np.array_split(coordinates, len(coordinates) // 1000 + 1)
    ])  # fmt: skip


@given(palettes, arrays(np.uint8, st.tuples(st.integers(1, 200), st.just(3)), elements=levels), spaces)
@settings(max_examples=200)
def test_nearest_equals_brute_force(palette, colors, space):
    """Each colour gets the row that exact integers give it, ties and repeated colours of the palette included."""
    assert np.array_equal(nearest_rows(colors, palette, space), brute_force(colors, palette, space))


@pytest.mark.parametrize("space", ["rgb", "oklab"])
@pytest.mark.parametrize("k", [2, 31, 32, 256])
@pytest.mark.parametrize("pixels", [photograph(side=180), noise(1, 100, 100)], ids=["photograph", "noise"])
def test_nearest_equals_brute_force_for_every_pixel(pixels, k, space):
    """So do all the colours of a photograph, in Z-order, where distant palette colours are left out."""
    colors = index_colors(pixels).table.colors
    palette = np.ascontiguousarray(colors[np.random.default_rng(k).integers(0, len(colors), k)])
    assert np.array_equal(nearest_rows(colors, palette, space), brute_force(colors, palette, space))


def test_ties_go_to_the_lowest_row():
    """A colour halfway between two, or one that stands in the palette twice, gets the first of them."""
    palette = np.uint8([[30, 0, 0], [10, 0, 0], [10, 0, 0], [20, 0, 0]])
    assert nearest_rows(np.uint8([[15, 0, 0], [25, 0, 0], [10, 0, 0]]), palette, "rgb").tolist() == [1, 0, 1]
