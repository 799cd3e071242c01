"""Labels of colours -> label map of pixels, by lookup."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from flatpipe.quantize.kmeans import assign


def nearest_colors(colors: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the palette row nearest to each of `colors` (n, 3) in RGB, the lowest of equals; (n,) uint8."""
    positions = np.ascontiguousarray(colors.T.astype(np.float32))
    labels = np.empty(len(colors), np.uint8)
    assign(positions, palette.astype(np.float64), labels, np.empty(len(colors)))
    return labels


def label_pixels(index: NDArray[np.uint32], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the label map (H, W) uint8 of an image: `labels` (n,) uint8 of each table row, looked up at each pixel."""
    found: NDArray[np.uint8] = _look_up(index.reshape(-1), labels)
    return found.reshape(index.shape)


@njit(nogil=True, cache=True)
def _look_up(index: NDArray[np.uint32], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return labels[index] without the 8-byte copy of `index` that numpy's own lookup makes."""
    found = np.empty(index.size, np.uint8)
    for i in range(index.size):
        found[i] = labels[index[i]]
    return found
