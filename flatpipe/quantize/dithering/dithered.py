"""Pixels put into a palette by dithering, and how far they are then from what they were."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.choosing.nearest import Measured
from flatpipe.quantize.color_space import lightness
from flatpipe.quantize.color_table import IndexedImage
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.dithering.aim import aim_at
from flatpipe.quantize.dithering.blue_noise import mixtures, show_mixtures, threshold_map
from flatpipe.quantize.dithering.diffusion import diffuse_to
from flatpipe.quantize.options import FlattenOptions

_BEYOND_DIFFUSED = 0.25
_BEYOND_MIXED = 1.0
# ^ see `aim_at`; errors that run along one row alone need more room than those that spread


def dithered_labels(
    image: IndexedImage, palette: NDArray[np.uint8], rows: NDArray[np.uint8], options: FlattenOptions
) -> NDArray[np.uint8]:
    """Return the palette row (H, W) uint8 of each pixel, neighbourhoods keeping their mean linear light.

    Where no mixture of `palette` (n, 3) has it, they get what is near. Nearness is measured in `options.matched_in`.
    `rows` (m,) are those nearest to the table's colours: hidden pixels get these, and have no part in the rest.
    """
    colors, index, opacity = image.table.colors, image.index, image.opacity
    labels: NDArray[np.uint8]
    if options.dither == "floyd-steinberg":
        aim = aim_at(palette, options.matched_in, _BEYOND_DIFFUSED)
        labels = diffuse_to(colors, index, opacity, rows, aim)
    else:
        order = np.argsort(lightness(palette), kind="stable")
        mixed = mixtures(colors, order, aim_at(palette, options.matched_in, _BEYOND_MIXED))
        labels = show_mixtures(index, opacity, rows, mixed, threshold_map())
    return labels


def measure_pixels(image: IndexedImage, palette: NDArray[np.uint8], label_map: NDArray[np.uint8]) -> Measured:
    """Return the weights and the distortion of an image whose pixels became palette[label_map]."""
    measured: Measured = _measure(image.table.colors, image.index, image.opacity, palette, label_map)
    return measured


@kernel
def _measure(
    colors: NDArray[np.uint8],
    index: NDArray[np.uint32],
    opacity: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    label_map: NDArray[np.uint8],
) -> Measured:
    weights, distortion = np.zeros(len(palette), np.int64), np.int64(0)
    for y in range(index.shape[0]):
        for x in range(index.shape[1]):
            pixel, row = index[y, x], label_map[y, x]
            weight = np.int64(opacity[y, x]) if opacity.size else np.int64(1)
            squared = np.int64(0)
            for c in range(3):
                squared += (np.int64(colors[pixel, c]) - np.int64(palette[row, c])) ** 2
            weights[row] += weight
            distortion += weight * squared
    return Measured(weights, distortion)
