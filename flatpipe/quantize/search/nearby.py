"""Nearest centroids at the price of a few: for each block of neighbouring points those that may be meant, found once.

Points in Z-order are neighbours in space, so that most of many centroids are far from all the points of a block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.search.kmeans import FLOAT_MAX, assign

_MANY = 32
# ^ centroids from which it pays to look for those that are near
BLOCK = 64
# ^ points; with 32 or 128 it takes longer


class Nearby(NamedTuple):
    """The centroids that come into question for each block of points: `numbers` (b, k) uint8, the first `counts`."""

    numbers: NDArray[np.uint8]
    counts: NDArray[np.int64]
    # ^ (b,), or none where all centroids come into question


@kernel
def find_nearby(positions: NDArray[np.float32], centroids: NDArray[np.float32], slack: float) -> Nearby:
    """Return which of `centroids` (k, 3) can be nearest to points at `positions` (3, n), if all move by `slack`."""
    n, k = positions.shape[1], len(centroids)
    n_blocks = (n + BLOCK - 1) // BLOCK if k >= _MANY else 0
    numbers, counts = np.empty((n_blocks, k), np.uint8), np.zeros(n_blocks, np.int64)
    least, most = np.empty(k, np.float32), np.empty(k, np.float32)
    for block in range(n_blocks):
        start, stop = block * BLOCK, min(n, (block + 1) * BLOCK)
        least[:], most[:] = 0, 0
        for c in range(3):
            _add_distances(positions[c, start:stop], centroids[:, c], least, most)
        within = FLOAT_MAX
        for j in range(k):
            within = min(within, most[j])
        within = (np.sqrt(within) + np.float32(2 * slack)) ** 2
        for j in range(k):
            numbers[block, counts[block]] = j
            counts[block] += least[j] <= within
            # ^ without a branch: which ones are near looks like chance
    return Nearby(numbers, counts)


@kernel
def _add_distances(
    values: NDArray[np.float32], centers: NDArray[np.float32], least: NDArray[np.float32], most: NDArray[np.float32]
) -> None:
    """Add the squared distances along one axis from `centers` (k,) to the range of `values`: least, most (k,)."""
    low, high = values[0], values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
    middle, half = (low + high) * np.float32(0.5), (high - low) * np.float32(0.5)
    for j in range(centers.size):
        gap = abs(centers[j] - middle)
        beyond = gap - half if gap > half else np.float32(0)
        least[j] += beyond * beyond
        most[j] += (gap + half) * (gap + half)


@kernel
def assign_nearby(
    positions: NDArray[np.float32],
    centroids: NDArray[np.float32],
    nearby: Nearby,
    labels: NDArray[np.uint8],
    squared: NDArray[np.float32],
) -> None:
    """Do as `assign`, among the centroids that come into question."""
    if nearby.counts.size == 0:
        assign(positions, centroids, labels, squared)
    for block in range(nearby.counts.size):
        start, stop = block * BLOCK, min(labels.size, (block + 1) * BLOCK)
        x, y, z = positions[0, start:stop], positions[1, start:stop], positions[2, start:stop]
        label, least = labels[start:stop], squared[start:stop]
        label[:] = 0
        least[:] = FLOAT_MAX
        for number in nearby.numbers[block, : nearby.counts[block]]:
            cx, cy, cz = centroids[number, 0], centroids[number, 1], centroids[number, 2]
            for i in range(stop - start):
                dx, dy, dz = x[i] - cx, y[i] - cy, z[i] - cz
                distance = dx * dx + dy * dy + dz * dz
                closer = distance < least[i]
                label[i] = number if closer else label[i]
                least[i] = distance if closer else least[i]
