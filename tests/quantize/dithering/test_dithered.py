"""Dithering to a palette: which pixel gets which colour, what a neighbourhood then looks like, and what is measured."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from flatpipe.quantize.choosing.nearest import nearest_rows
from flatpipe.quantize.color_space import LMS_TO_LAB, RGB_TO_LMS, linear_light, srgb_levels, srgb_to_oklab
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.dithering.blue_noise import PARTS, SIDE, threshold_map
from flatpipe.quantize.flatten import flatten_pixels, flatten_to
from flatpipe.quantize.options import FlattenOptions
from tests.quantize.builders import mse, noise, painting, photograph

WAYS = ["floyd-steinberg", "blue-noise"]
SPACES = ["rgb", "oklab"]
BLACK_AND_WHITE = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
PAPER = np.array([[25, 30, 33], [232, 232, 232], [33, 87, 186], [18, 95, 32], [178, 19, 24], [239, 222, 68]], np.uint8)
# ^ about what an electronic paper of six colours shows

both_ways = pytest.mark.parametrize("dither", WAYS)
both_spaces = pytest.mark.parametrize("space", SPACES)


def dithered(pixels, palette, dither, space="rgb", alpha=None):
    """The pixels in a palette that is given."""
    return flatten_to(index_colors(pixels, alpha), palette, FlattenOptions(space=space, dither=dither))


# --- the rule, written out -------------------------------------------------------------------------------------------


class Aim:
    """The rule of nearness in plain Python: linear light of 14 bits, places with eight steps a level."""

    def __init__(self, palette, space, beyond):
        self.levels = [round(float(linear_light(np.float64(level / 255))) * 16384) for level in range(256)]
        self.space = space
        self.light = [self.light_of(color) for color in palette]
        self.places = [self.place(light) for light in self.light]
        self.bounds = []
        for channel in zip(*self.light, strict=True):
            reach = int((max(channel) - min(channel)) * beyond)
            self.bounds.append((min(channel) - reach, max(channel) + reach))

    def light_of(self, color):
        return [self.levels[level] for level in color]

    def place(self, light):
        light = [min(max(value, 0), 16384) for value in light]
        if self.space == "rgb":
            return [round(float(srgb_levels(np.float64(value / 16384))) * 8) for value in light]
        lms = [sum(m * v for m, v in zip(row, light, strict=True)) >> 14 for row in self._whole(RGB_TO_LMS, (1, 1, 1))]
        roots = [round(float(np.cbrt(value / 16384)) * 8192) for value in lms]
        return [sum(m * v for m, v in zip(row, roots, strict=True)) >> 16 for row in self._whole(LMS_TO_LAB, (1, 0, 0))]

    @staticmethod
    def _whole(matrix, sums):
        rows = [[round(float(value) * 16384) for value in row] for row in matrix]
        return [[r, total * 16384 - r - b, b] for (r, _, b), total in zip(rows, sums, strict=True)]

    def wanted(self, light, lacking):
        return [min(max(v + e, low), high) for v, e, (low, high) in zip(light, lacking, self.bounds, strict=True)]

    def nearest(self, light):
        place = self.place(light)
        squared = [sum((a - b) ** 2 for a, b in zip(place, other, strict=True)) for other in self.places]
        return squared.index(min(squared))


def diffused(pixels, alpha, palette, space):
    """Floyd and Steinberg's rule: alternating rows, 31/32 of errors in linear light; hidden pixels stand apart."""
    aim = Aim(palette.tolist(), space, 0.25)
    nearest = nearest_rows(pixels.reshape(-1, 3), palette, space).reshape(alpha.shape)
    height, width = alpha.shape
    errors = np.zeros((height + 1, width + 2, 3), int)
    label_map = np.empty((height, width), np.uint8)
    for y in range(height):
        step = -1 if y % 2 else 1
        for x in range(width)[::step]:
            label_map[y, x] = nearest[y, x]
            if not alpha[y, x]:
                continue
            wanted = aim.wanted(aim.light_of(pixels[y, x]), (errors[y, x + 1] + 256) >> 9)
            row = label_map[y, x] = aim.nearest(wanted)
            share = 31 * (np.array(wanted) - aim.light[row])
            errors[y, x + 1 + step] += 7 * share
            errors[y + 1, x + 1 - step] += 3 * share
            errors[y + 1, x + 1] += 5 * share
            errors[y + 1, x + 1 + step] += share
    return label_map


def mixed(pixels, alpha, palette, space):
    """What 64 pixels of a colour come to in a row, from dark to light, and of them the one that the map names."""
    aim = Aim(palette.tolist(), space, 1.0)
    darker = np.argsort(np.rint(srgb_to_oklab(palette)[:, 0] * 2**15), kind="stable").tolist()
    label_map = nearest_rows(pixels.reshape(-1, 3), palette, space).reshape(alpha.shape)
    for y, x in zip(*np.nonzero(alpha), strict=True):
        light, lacking, parts = aim.light_of(pixels[y, x]), [0, 0, 0], []
        for _ in range(PARTS):
            wanted = aim.wanted(light, lacking)
            parts.append(aim.nearest(wanted))
            lacking = [w - v for w, v in zip(wanted, aim.light[parts[-1]], strict=True)]
        parts.sort(key=darker.index)
        label_map[y, x] = parts[int(threshold_map()[y % SIDE, x % SIDE]) * PARTS // SIDE**2]
    return label_map


@both_spaces
@pytest.mark.parametrize(("dither", "rule"), [("floyd-steinberg", diffused), ("blue-noise", mixed)])
@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_labels_are_those_of_the_rule(dither, rule, space, n):
    """The kernels give the label map of a plain Python version, pixel by pixel, hidden ones too."""
    random = np.random.default_rng(n)
    pixels = np.concatenate((painting(n, 6, 11), noise(n, 3, 11)))
    alpha = random.choice(np.array([0, 1, 255], np.uint8), pixels.shape[:2])
    palette = random.integers(0, 256, (n, 3), dtype=np.uint8)

    found = dithered(pixels, palette, dither, space, alpha)

    assert np.array_equal(found.label_map, rule(pixels, alpha, palette, space))


# --- what it looks like ----------------------------------------------------------------------------------------------


def seen(pixels):
    """The linear light of 8 x 8 pixels each, as from afar."""
    light = linear_light(pixels / 255)
    height, width = (side // 8 * 8 for side in light.shape[:2])
    return light[:height, :width].reshape(height // 8, 8, width // 8, 8, 3).mean(axis=(1, 3))


@both_ways
@both_spaces
@pytest.mark.parametrize("palette", [BLACK_AND_WHITE, PAPER], ids=["black and white", "paper"])
@pytest.mark.parametrize("level", [64, 100, 128, 188, 230])
def test_a_grey_keeps_its_light(dither, space, palette, level):
    """From afar a patch of grey is that grey: within 5 levels, or 7 where 64 parts of black and white are too few."""
    patch = np.full((128, 128, 3), level, np.uint8)
    light = linear_light(dithered(patch, palette, dither, space).flat / 255).mean(axis=(0, 1))
    assert np.abs(srgb_levels(light) - level).max() < (5 if dither == "floyd-steinberg" else 7)


@both_ways
@both_spaces
@pytest.mark.parametrize("palette", [BLACK_AND_WHITE, PAPER], ids=["black and white", "paper"])
def test_a_photograph_is_nearer_from_afar(dither, space, palette):
    """Blurred, a dithered photograph is at least three times nearer to the original than one that is not."""
    pixels = photograph("kodim05", 256)
    gaps = [np.abs(seen(dithered(pixels, palette, way, space).flat) - seen(pixels)).mean() for way in (dither, "none")]
    assert gaps[0] * 3 < gaps[1]


@both_ways
def test_unreachable_colors_leave_no_trail(dither):
    """Beside an area that is brighter than any mixture, eight pixels already look as they would without it."""
    pixels = np.full((64, 128, 3), 140, np.uint8)
    pixels[:, :64] = 255
    palette = np.array([[90, 90, 90], [190, 190, 190]], np.uint8)
    light = linear_light(dithered(pixels, palette, dither).flat[:, 64:72] / 255).mean()
    assert abs(float(srgb_levels(np.float64(light))) - 140) < 4


def test_blue_noise_stays_in_its_place():
    """With blue noise a pixel's colour depends on its own and its place alone: nothing crawls when others change."""
    pixels = painting(7, 100, 100)
    changed = pixels.copy()
    changed[10:20] = noise(8, 10, 100)
    before, after = (dithered(one, PAPER, "blue-noise").label_map for one in (pixels, changed))
    assert np.array_equal(np.delete(before, range(10, 20), axis=0), np.delete(after, range(10, 20), axis=0))


# --- what holds of every flat image ----------------------------------------------------------------------------------


@both_ways
@both_spaces
def test_the_palette_is_that_without_dithering(dither, space):
    """Dithering changes which pixel has which colour, never the colours."""
    pixels = painting(3)
    plain, found = (flatten_pixels(pixels, 6, FlattenOptions(space=space, dither=way)) for way in ("none", dither))
    assert np.array_equal(plain.palette, found.palette)
    assert not np.array_equal(plain.label_map, found.label_map)


@both_ways
@both_spaces
def test_few_colors_stay_exactly(dither, space):
    """An image of no more colours than asked for, or than a palette has, comes back exactly: dark blues too."""
    colors = np.array([[0, 0, blue] for blue in range(6)], np.uint8)
    pixels = colors[np.random.default_rng(0).integers(0, 6, (20, 20))]
    palette = np.concatenate((noise(1, 1, 30)[0], colors[::-1]))

    assert np.array_equal(flatten_pixels(pixels, 6, FlattenOptions(space=space, dither=dither)).flat, pixels)
    assert np.array_equal(dithered(pixels, palette, dither, space).flat, pixels)


@both_ways
@pytest.mark.parametrize("has_alpha", [False, True])
def test_measures_are_those_of_the_pixels(dither, has_alpha):
    """Weights count pixels as written, or their opacity, colours without one included; mse is that of the picture."""
    pixels = painting(4)
    alpha = noise(5, *pixels.shape[:2])[:, :, 0] if has_alpha else None
    found = dithered(pixels, np.concatenate((PAPER, PAPER)), dither, alpha=alpha)
    weights = np.ones(pixels.shape[:2]) if alpha is None else alpha
    squared = ((pixels.astype(int) - found.flat) ** 2).sum(axis=2)

    assert found.weights.tolist() == [int(weights[found.label_map == row].sum()) for row in range(12)]
    assert found.mse == pytest.approx((squared * weights).sum() / weights.sum(), rel=1e-12)
    assert has_alpha or found.mse == mse(pixels, found.flat)


@both_ways
def test_hidden_pixels_have_no_part(dither):
    """What hidden pixels hold changes nothing that shows; they get the nearest colour."""
    pixels, other = painting(6), noise(9, 48, 64)
    alpha = np.where(np.add.outer(np.arange(48), np.arange(64)) % 11 < 5, 255, 0).astype(np.uint8)
    other[alpha > 0] = pixels[alpha > 0]
    first, second = (dithered(one, PAPER, dither, alpha=alpha) for one in (pixels, other))

    assert np.array_equal(first.label_map[alpha > 0], second.label_map[alpha > 0])
    assert np.array_equal(first.label_map[alpha == 0], nearest_rows(pixels[alpha == 0], PAPER, "rgb"))
    assert first.mse == second.mse


@both_ways
@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (90, 1), (2, 3)])
def test_any_shape(dither, shape):
    """One pixel wide or high: still a colour of the palette for each pixel."""
    found = dithered(noise(2, *shape), PAPER, dither)
    assert found.label_map.shape == shape


@both_ways
def test_same_image_on_any_thread(dither):
    """Several threads at once, sharing what is made once, give what one gives."""
    image, options = index_colors(painting(10)), FlattenOptions(dither=dither)
    alone = flatten_to(image, PAPER, options).label_map
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: flatten_to(image, PAPER, options).label_map, range(8)))
    assert all(np.array_equal(alone, one) for one in together)
