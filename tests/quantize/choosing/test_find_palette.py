"""Palettes found for colours, and pixels put into palettes that are given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flatpipe.quantize.choosing.find_palette import find_palette
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.flatten import flatten_indexed, flatten_pixels, flatten_to
from flatpipe.quantize.options import FlattenOptions
from tests.quantize.builders import mse, noise, painting
from tests.quantize.choosing.test_nearest import brute_force, palettes

PLAIN = FlattenOptions()
OKLAB = FlattenOptions(space="oklab")


@pytest.mark.parametrize("options", [PLAIN, OKLAB, FlattenOptions(solver="textbook")], ids=str)
@pytest.mark.parametrize("k", [1, 9, 40])
def test_the_palette_of_an_image_is_that_of_its_flat(options, k):
    """What is found for the colours of one image is the palette that it is flattened to."""
    image = index_colors(painting(5))
    palette = find_palette(image.table, image.pyramid(options.searched_in), k, options)
    assert np.array_equal(palette, flatten_indexed(image, k, options).palette)


@pytest.mark.parametrize("k", [1, 9, 40])
def test_an_image_put_into_its_own_palette_is_its_flat(k):
    """In RGB, where clusters are those of rounded means, both ways lead to the same flat image, but for ties."""
    image = index_colors(painting(6))
    flat = flatten_indexed(image, k)
    again = flatten_to(image, flat.palette)
    assert np.array_equal(again.palette, flat.palette)
    assert again.mse == flat.mse
    assert np.mean(again.label_map != flat.label_map) < 0.01


@given(arrays(np.uint8, (7, 9, 3)), palettes, st.sampled_from(["rgb", "oklab", None]), st.integers(0, 2**32))
def test_pixels_get_the_nearest_colour_and_are_measured_exactly(pixels, palette, match, seed):
    """The palette stays as it is; labels equal brute force, hidden pixels included; weights and mse are their sums."""
    alpha = np.random.default_rng(seed).choice(np.uint8([0, 3, 255]), (7, 9))
    alpha[0, 0] = 255
    options = FlattenOptions(match=match)
    flat = flatten_to(index_colors(pixels, alpha), palette, options)
    labels = brute_force(pixels.reshape(-1, 3), palette, options.matched_in)
    assert np.array_equal(flat.palette, palette)
    assert np.array_equal(flat.label_map.ravel(), labels)
    assert flat.weights.tolist() == np.bincount(labels, alpha.ravel(), len(palette)).tolist()
    squared = ((pixels.astype(np.int64) - palette[flat.label_map]) ** 2).sum(axis=2)
    assert flat.mse == int((squared * alpha).sum()) / int(alpha.sum(dtype=np.int64))


def test_matching_elsewhere_changes_the_labels_alone():
    """Clustered in RGB and matched in Oklab, an image has the palette of RGB, each pixel its nearest to the eye."""
    pixels = painting(7)
    plain, matched = (flatten_pixels(pixels, 6, options) for options in (PLAIN, replace(PLAIN, match="oklab")))
    assert np.array_equal(matched.palette, plain.palette)
    assert np.array_equal(matched.label_map.ravel(), brute_force(pixels.reshape(-1, 3), matched.palette, "oklab"))
    assert matched.mse == mse(pixels, matched.flat) >= plain.mse


@pytest.mark.parametrize("k", [0, 257, -1])
def test_only_1_to_256_colours_can_be_asked_for(k):
    """Any other number is an error."""
    image = index_colors(noise(1))
    with pytest.raises(ValueError, match="k must be"):
        find_palette(image.table, image.pyramid("rgb"), k, PLAIN)
