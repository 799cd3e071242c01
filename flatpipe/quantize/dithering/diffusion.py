"""Error diffusion: what a pixel lacks is handed on to its neighbours that are still to come.

R. W. Floyd and L. Steinberg, "An adaptive algorithm for spatial grey scale", 1976; rows in alternating direction, so
that errors do not run all to one side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.dithering.aim import Aim, nearest, wanted

_STRENGTH = 31
# ^ thirty-seconds of a pixel's error that are handed on. All 32 leave noise where a palette reaches no further; 28, as
#   for the sweep's last frame, swallow whole shadows in black and white (docs/decisions.md has the figures)
_ERROR_BITS = 9
# ^ an error is counted in sixteenths of thirty-seconds of a step of light


@kernel
def diffuse_to(
    colors: NDArray[np.uint8],
    index: NDArray[np.uint32],
    opacity: NDArray[np.uint8],
    rows: NDArray[np.uint8],
    aim: Aim,
) -> NDArray[np.uint8]:
    """Return the palette row (H, W) of each of the pixels colors[index], (H, W).

    `opacity` is (H, W), or empty where all are opaque: hidden pixels take no error, give none, and get rows[index].
    """
    height, width = index.shape
    light, lowest, highest, light_of, places, first, curve, second = aim
    label_map = np.empty((height, width), np.uint8)
    errors = np.zeros((2, width + 2, 3), np.int32)
    # ^ of this row and the next, in light / 2^9, with a column of margin on both sides
    for y in range(height):
        here, below, step = errors[y & 1], errors[1 - (y & 1)], 1 - 2 * (y & 1)
        below[:] = 0
        for i in range(width):
            x = i if step == 1 else width - 1 - i
            pixel = index[y, x]
            red = wanted(light_of[colors[pixel, 0]], _rounded(here[x + 1, 0]), lowest[0], highest[0])
            green = wanted(light_of[colors[pixel, 1]], _rounded(here[x + 1, 1]), lowest[1], highest[1])
            blue = wanted(light_of[colors[pixel, 2]], _rounded(here[x + 1, 2]), lowest[2], highest[2])
            row = nearest(red, green, blue, places, first, curve, second)
            is_hidden = opacity.size > 0 and opacity[y, x] == 0
            label_map[y, x] = rows[pixel] if is_hidden else row
            strength = 0 if is_hidden else _STRENGTH
            _hand_on(strength * (red - light[0, row]), here, below, x + 1, step, 0)
            _hand_on(strength * (green - light[1, row]), here, below, x + 1, step, 1)
            _hand_on(strength * (blue - light[2, row]), here, below, x + 1, step, 2)
    return label_map


@kernel
def _rounded(error: np.int64) -> np.int64:
    """Return an error in linear light."""
    return (np.int64(error) + (1 << (_ERROR_BITS - 1))) >> _ERROR_BITS


@kernel
def _hand_on(
    share: np.int64, here: NDArray[np.int32], below: NDArray[np.int32], x: int, step: int, channel: int
) -> None:
    """Add 7 sixteenths of a pixel's error to the next one's, 3, 5 and 1 to those below."""
    here[x + step, channel] += 7 * share
    below[x - step, channel] += 3 * share
    below[x, channel] += 5 * share
    below[x + step, channel] += share
