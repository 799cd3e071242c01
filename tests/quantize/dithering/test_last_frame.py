"""The original frame: 256 colours of its own, and an error that stays near."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from flatpipe.quantize.color_space import lightness
from flatpipe.quantize.dithering.last_frame import dithered
from flatpipe.quantize.knee import psnr
from tests.quantize.builders import mse, noise, painting, photograph


@pytest.mark.parametrize("name", ["kodim03", "kodim05", "kodim23"])
def test_better_than_pillow_on_photographs(name):
    """At 256 colours the PSNR is at least 1 dB above that of Pillow's adaptive palette with its dithering."""
    pixels = photograph(name)
    peer = np.asarray(Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE).convert("RGB"))
    assert psnr(mse(pixels, dithered(pixels).flat)) > psnr(mse(pixels, peer)) + 1


def diffused(pixels, palette):
    """Floyd and Steinberg's rule, written out: alternating rows, 7/8 of limited errors, the nearer of two colours."""
    height, width = pixels.shape[:2]
    errors = np.zeros((height + 1, width + 2, 3), int)
    label_map = np.empty((height, width), np.uint8)
    for y in range(height):
        step = -1 if y % 2 else 1
        for x in range(width)[::step]:
            wanted = np.clip(16 * pixels[y, x].astype(int) + (errors[y, x + 1] + 64) // 128, 0, 255 * 16)
            middle = wanted // 64 * 64 + 32
            pair = ((16 * palette - middle) ** 2).sum(axis=1).argsort(kind="stable")[:2]
            row = label_map[y, x] = pair[((16 * palette[pair] - wanted) ** 2).sum(axis=1).argmin()]
            share = 7 * np.clip(wanted - 16 * palette[row], -96, 96)
            errors[y, x + 1 + step] += 7 * share
            errors[y + 1, x + 1 - step] += 3 * share
            errors[y + 1, x + 1] += 5 * share
            errors[y + 1, x + 1 + step] += share
    return label_map


def test_error_diffusion_is_that_of_the_paper():
    """The kernel gives the label map of a plain Python version, pixel by pixel."""
    pixels = painting(46, 30, 40)
    found = dithered(pixels, 12)
    assert np.array_equal(found.label_map, diffused(pixels, found.palette.astype(int)))


def test_smooth_areas_keep_their_mean():
    """Where 16 colours cannot show a gradient, their mixture does: local means are close to it."""
    ramp = np.linspace(0, 255, 256)[None, :, None].repeat(64, axis=0).repeat(3, axis=2).astype(np.uint8)
    flat = dithered(ramp, 16).flat.astype(float)
    blocks = np.abs((flat - ramp).reshape(8, 8, 32, 8, 3).mean(axis=(1, 3))).mean()
    assert blocks < 1.2
    assert len(np.unique(flat)) == 16


@pytest.mark.parametrize("n_colors", [2, 5, 256])
def test_at_most_n_colors_from_dark_to_light(n_colors):
    """The palette has no more colours than asked for, ordered by lightness, and every label is one of its rows."""
    found = dithered(painting(40), n_colors)
    assert len(found.palette) <= n_colors
    assert (np.diff(lightness(found.palette)) >= 0).all()
    assert found.label_map.dtype == np.uint8
    assert found.label_map.max() < len(found.palette)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3)])
def test_few_colors_come_back_exactly(shape):
    """A picture of no more colours than allowed is not dithered, whatever its shape."""
    pixels = noise(41, *shape)
    assert np.array_equal(dithered(pixels).flat, pixels)


def test_narrow_pictures_do_not_read_beyond_their_edge():
    """One pixel wide or high, with more colours than allowed: still a palette and a label for each pixel."""
    for shape in ((1, 300), (300, 1)):
        found = dithered(noise(42, *shape), 8)
        assert found.label_map.shape == shape
        assert np.abs(found.flat.astype(int) - noise(42, *shape)).mean() < 64


def test_same_pixels_same_frame():
    """The frame depends on the pixels alone."""
    pixels = painting(43)
    first, second = dithered(pixels), dithered(pixels.copy())
    assert np.array_equal(first.palette, second.palette)
    assert np.array_equal(first.label_map, second.label_map)


def test_hidden_pixels_choose_no_colors():
    """With alpha, the palette is that of the visible pixels."""
    pixels = painting(44)
    pixels[:, 32:] = noise(45, 48, 32)
    alpha = np.zeros(pixels.shape[:2], np.uint8)
    alpha[:, :32] = 255
    with_alpha = dithered(pixels, 16, alpha)
    visible_only = dithered(pixels[:, :32], 16)
    error = np.abs(with_alpha.flat[:, :32].astype(int) - pixels[:, :32]).mean()
    assert error < np.abs(visible_only.flat.astype(int) - pixels[:, :32]).mean() * 1.2
