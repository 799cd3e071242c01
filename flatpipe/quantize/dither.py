"""The original as a frame of the sweep: 256 colours of its own and error diffusion.

R. W. Floyd and L. Steinberg, "An adaptive algorithm for spatial grey scale", 1976; rows in alternating direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.flatten import flatten_indexed
from flatpipe.quantize.options import MAX_K

STRENGTH = 0.75
# ^ part of a pixel's error that is handed on: less grain than 1, and still no banding


@dataclass(frozen=True)
class DitheredImage:
    """`palette` (n_colors, 3) uint8 from dark to light; `label_map` (H, W) uint8: palette row of each pixel."""

    palette: NDArray[np.uint8]
    label_map: NDArray[np.uint8]

    @property
    def flat(self) -> NDArray[np.uint8]:
        """The dithered image, (H, W, 3) uint8."""
        return self.palette[self.label_map]


def dithered(pixels: NDArray[np.uint8], n_colors: int = MAX_K, alpha: NDArray[np.uint8] | None = None) -> DitheredImage:
    """Return `pixels` (H, W, 3) uint8 in at most n_colors colours chosen for them, the errors spread around."""
    palette = flatten_indexed(index_colors(pixels, alpha), n_colors).palette
    by_green = np.argsort(palette[:, 1], kind="stable")
    found = _diffuse(np.ascontiguousarray(pixels), palette[by_green].astype(np.float64), STRENGTH)
    return DitheredImage(palette, by_green.astype(np.uint8)[found])


@njit(nogil=True, cache=True)
def _diffuse(pixels: NDArray[np.uint8], palette: NDArray[np.float64], strength: float) -> NDArray[np.uint8]:
    """Return the row of `palette` (n, 3), sorted by green, for each pixel (H, W)."""
    height, width = pixels.shape[:2]
    found = np.empty((height, width), np.uint8)
    errors = np.zeros((2, width + 2, 3))
    # ^ of this row and the next, one column of margin on both sides
    wanted = np.empty(3)
    for y in range(height):
        here, below = errors[y & 1], errors[1 - (y & 1)]
        below[:] = 0
        step = 1 - 2 * (y & 1)
        guess = 0
        for n in range(width):
            x = n if step == 1 else width - 1 - n
            for c in range(3):
                wanted[c] = min(max(pixels[y, x, c] + here[x + 1, c], 0.0), 255.0)
            guess = _nearest(palette, wanted, guess)
            found[y, x] = guess
            for c in range(3):
                error = (wanted[c] - palette[guess, c]) * strength / 16
                here[x + 1 + step, c] += error * 7
                below[x + 1 - step, c] += error * 3
                below[x + 1, c] += error * 5
                below[x + 1 + step, c] += error
    return found


@njit(nogil=True, cache=True)
def _nearest(palette: NDArray[np.float64], wanted: NDArray[np.float64], guess: int) -> int:
    """Return the palette row nearest to `wanted` (3,): outward from `guess`, until green alone is too far away."""
    best, least = guess, np.inf
    for direction in (1, -1):
        row = guess if direction == 1 else guess - 1
        while 0 <= row < palette.shape[0]:
            dg = palette[row, 1] - wanted[1]
            if dg * dg >= least and dg * direction > 0:
                break
            dr, db = palette[row, 0] - wanted[0], palette[row, 2] - wanted[2]
            squared = dr * dr + dg * dg + db * db
            if squared < least:
                best, least = row, squared
            row += direction
    return best
