"""The costly measures, found from colour tables and in bands of rows, against those of whole pictures."""

from __future__ import annotations

import numpy as np
import pytest

from flatpipe.quantize.color_space import srgb_to_lab
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.flatten import flatten_indexed
from flatpipe.quantize.metrics import ciede2000, ssim_map
from flatpipe.quantize.options import FlattenOptions
from flatpipe.quantize.quality import mean_color_difference, mean_ssim, measured
from tests.quantize.builders import noise, painting


@pytest.mark.parametrize("dither", ["none", "floyd-steinberg"])
@pytest.mark.parametrize("pixels", [painting(30), noise(3, 11, 40), noise(4, 77, 13)], ids=["large", "low", "narrow"])
def test_measures_are_those_of_the_whole_pictures(pixels, dither):
    """Whatever the height, and whether a colour became one or several, they are what whole pictures give."""
    image = index_colors(pixels // 16 * 16)
    flat, pixels = flatten_indexed(image, 4, FlattenOptions(dither=dither)), image.pixels
    gaps = ciede2000(srgb_to_lab(pixels.reshape(-1, 3)), srgb_to_lab(flat.flat.reshape(-1, 3)))

    assert mean_ssim(image, flat) == pytest.approx(ssim_map(pixels, flat.flat).mean(), abs=1e-12)
    assert mean_color_difference(image, flat) == pytest.approx(gaps.mean(), rel=1e-12)


@pytest.mark.parametrize("dither", ["none", "floyd-steinberg"])
def test_pixels_weigh_as_much_as_they_are_opaque(dither):
    """With alpha, both are means weighted by opacity: of each pixel's difference, of the similarity around it."""
    pixels = painting(31)
    alpha = np.random.default_rng(0).integers(0, 256, pixels.shape[:2]).astype(np.uint8)
    alpha[:20] = 0
    image = index_colors(pixels, alpha)
    flat = flatten_indexed(image, 5, FlattenOptions(dither=dither))
    gaps = ciede2000(srgb_to_lab(pixels.reshape(-1, 3)), srgb_to_lab(flat.flat.reshape(-1, 3)))

    similarity = np.average(ssim_map(pixels, flat.flat), weights=alpha[5:-5, 5:-5])
    assert mean_color_difference(image, flat, alpha) == pytest.approx(np.average(gaps, weights=alpha.ravel()))
    assert mean_ssim(image, flat, alpha) == pytest.approx(similarity)


def test_an_image_too_small_for_the_window_has_no_ssim():
    """Below 11 pixels a side there is no window to compare: None rather than a number; the difference is there."""
    image = index_colors(noise(5, 10, 50))
    found = dict(measured(("ssim", "ciede2000"), image, flatten_indexed(image, 3), None, lambda: 0.0))

    assert found["ssim"] is None
    assert found["ciede2000"] > 0


def test_nothing_is_visible_where_the_window_fits():
    """Opaque only along the edge: no similarity, rather than a division by nothing."""
    pixels, alpha = noise(6, 30, 30), np.zeros((30, 30), np.uint8)
    alpha[0] = 255
    image = index_colors(pixels, alpha)

    assert mean_ssim(image, flatten_indexed(image, 3), alpha) is None
