"""The original as a frame of the sweep: 256 colours of its own and error diffusion.

R. W. Floyd and L. Steinberg, "An adaptive algorithm for spatial grey scale", 1976; rows in alternating direction.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import lightness
from flatpipe.quantize.color_table import IndexedImage, index_colors
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.flatten import flatten_indexed
from flatpipe.quantize.options import MAX_K
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.quantize.search.multilevel import quick_centroids

_UNIT_BITS = 4
_UNIT = 1 << _UNIT_BITS
# ^ steps per level in which errors are counted: whole numbers, so every machine gets the same picture
_STRENGTH = 7
# ^ eighths of a pixel's error that are handed on: all 8 cost 0.3 dB of PSNR on photographs, 4 show bands in skies
_LIMIT = 6 * _UNIT
# ^ error per channel that is handed on at most: smooth areas need no more, and without it 0.6 dB are lost
_BITS = 6
# ^ of each channel by which the two nearest palette colours are remembered: the table stays in the processor's cache
_SHIFT = 12 - _BITS
# ^ bits of a level in units that are left: 255 levels are 12 bits of units
_LANE_BITS = 21
_LANE = np.int64((1 << _LANE_BITS) - 1)
# ^ of one channel's error among those of all three: in units / 128 it stays below 2^14
_OFFSET = np.int64(1 << 15)
# ^ so that no channel's error is below 0 when they are taken apart
_ROUNDED = (_OFFSET + 64) * np.int64(1 + (1 << _LANE_BITS) + (1 << 2 * _LANE_BITS))
# ^ the offset of all three, and a half to round by


def dithered(pixels: NDArray[np.uint8], n_colors: int = MAX_K, alpha: NDArray[np.uint8] | None = None) -> PaletteImage:
    """Return `pixels` (H, W, 3) uint8 in at most n_colors colours chosen for them, each pixel's error spread around.

    An image of no more than n_colors colours comes back unchanged.
    """
    return dithered_indexed(index_colors(pixels, alpha), pixels, n_colors)


def dithered_indexed(image: IndexedImage, pixels: NDArray[np.uint8], n_colors: int = MAX_K) -> PaletteImage:
    """Return `dithered` of the pixels of an image whose colours have been counted already."""
    pyramid = image.pyramid("rgb")
    if pyramid.n <= n_colors:
        return flatten_indexed(image, n_colors)
    palette = _different(np.rint(quick_centroids(pyramid, n_colors)).astype(np.int32))
    palette = palette[np.argsort(lightness(palette), kind="stable")]
    writable = np.require(pixels, requirements=["C", "W"])
    # ^ what the kernel is compiled for
    return PaletteImage(palette, diffuse(writable, np.ascontiguousarray(palette.T * np.int32(_UNIT))))


def _different(colors: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return the different ones of `colors` (n, 3), levels 0..255, sorted: np.unique would import numpy.ma for it."""
    coded = np.sort(colors[:, 0] << 16 | colors[:, 1] << 8 | colors[:, 2])
    coded = coded[np.diff(coded, prepend=-1) > 0]
    return np.stack((coded >> 16, coded >> 8, coded), axis=1).astype(np.uint8)


@kernel
def diffuse(pixels: NDArray[np.uint8], palette: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return the row of `palette` (3, n), in units, for each pixel (H, W).

    Errors are packed: those of the three channels, in units / 128, in one whole number that is added up as one.
    """
    height, width = pixels.shape[:2]
    label_map, colors, coded = (
        np.empty((height, width), np.uint8),
        _beside(palette),
        np.empty(palette.shape[1], np.int32),
    )
    remembered = np.zeros(1 << (3 * _BITS), np.uint16)
    # ^ two rows of the palette, different ones; two zeros: not yet looked for
    errors = np.zeros((2, width), np.int64)
    # ^ of this row and the next
    for y in range(height):
        here, below = errors[y & 1], errors[1 - (y & 1)]
        ahead = behind = under = np.int64(0)
        # ^ errors for the next pixel, for the one below the last, for the one below this
        last = np.uint64((width - 1) * (y & 1))
        for i in range(width):
            x = np.uint64(width - 1 - i if y & 1 else i)
            handed = here[x] + ahead + _ROUNDED
            red = _wanted(pixels[y, x, 0], handed & _LANE)
            green = _wanted(pixels[y, x, 1], handed >> _LANE_BITS & _LANE)
            blue = _wanted(pixels[y, x, 2], handed >> 2 * _LANE_BITS)
            cell = np.uint64((red >> _SHIFT) << 2 * _BITS | (green >> _SHIFT) << _BITS | blue >> _SHIFT)
            pair = remembered[cell]
            if pair == 0:
                pair = remembered[cell] = _two_nearest(red >> _SHIFT, green >> _SHIFT, blue >> _SHIFT, palette, coded)
            label, other = np.uint64(pair & 255), np.uint64(pair >> 8)
            dr, dg, db = red - colors[label, 0], green - colors[label, 1], blue - colors[label, 2]
            er, eg, eb = red - colors[other, 0], green - colors[other, 1], blue - colors[other, 2]
            if dr * dr + dg * dg + db * db <= er * er + eg * eg + eb * eb:
                label_map[y, x] = label
            else:
                label_map[y, x], dr, dg, db = other, er, eg, eb
            share = _limited(dr) + (_limited(dg) << _LANE_BITS) + (_limited(db) << 2 * _LANE_BITS)
            below[last] = behind + 3 * share
            ahead, behind, under, last = 7 * share, under + 5 * share, share, x
        below[last] = behind
    return label_map


@kernel
def _beside(palette: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the columns of `palette` (3, n) as rows, (n, 4), with the channels of a colour beside each other."""
    colors = np.zeros((palette.shape[1], 4), np.int32)
    for row in range(palette.shape[1]):
        for c in range(3):
            colors[row, c] = palette[c, row]
    return colors


@kernel
def _wanted(level: np.uint8, error: np.int64) -> np.int64:
    """Return the level to look for, in units from 0 to 255 levels, given an error in units / 128, and `_ROUNDED`."""
    wanted = np.int64(level) * _UNIT + (error >> 7) - (_OFFSET >> 7)
    return min(max(wanted, np.int64(0)), np.int64(255 * _UNIT))


@kernel
def _limited(error: np.int64) -> np.int64:
    """Return what of a pixel's error, in units, is handed on, in units / 8; sixteenths of it go to each neighbour."""
    return min(max(error, np.int64(-_LIMIT)), np.int64(_LIMIT)) * _STRENGTH


@kernel
def _two_nearest(
    red: np.int64, green: np.int64, blue: np.int64, palette: NDArray[np.int32], coded: NDArray[np.int32]
) -> np.uint16:
    """Return the rows of `palette` (3, n) nearest and second to the middle of a small cell, in the two bytes.

    `coded` (n,) is room to work in. Passes as plain as these are ones that the compiler takes eight rows at a time.
    """
    middle = (1 << _SHIFT) >> 1
    r, g, b = np.int32(red << _SHIFT | middle), np.int32(green << _SHIFT | middle), np.int32(blue << _SHIFT | middle)
    reds, greens, blues = palette[0], palette[1], palette[2]
    for row in range(coded.size):
        # differences are whole levels, so 32 bits hold their squares and the row
        dr = np.int32((reds[row] - r) >> _UNIT_BITS)
        dg = np.int32((greens[row] - g) >> _UNIT_BITS)
        db = np.int32((blues[row] - b) >> _UNIT_BITS)
        squared = np.int32(np.int32(np.int32(dr * dr) + np.int32(dg * dg)) + np.int32(db * db))
        coded[row] = np.int32(np.int32(squared << 8) | np.int32(row))
    nearest = second = np.int32(np.iinfo(np.int32).max)
    for row in range(coded.size):
        nearest = min(nearest, coded[row])
    for row in range(coded.size):
        second = min(second, coded[row] if coded[row] != nearest else np.int32(np.iinfo(np.int32).max))
    return np.uint16((nearest & 255) | (second & 255) << 8)
