"""First centroids: greedy k-means++ on weighted points.

D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007; greedy form: section 7 there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import Points
from flatpipe.quantize.search.kmeans import FLOAT_MAX, assign

NO_CENTROIDS = np.empty((0, 3), np.float32)


def kmeans_plusplus(
    points: Points,
    k: int,
    random: np.random.Generator,
    trials: int | None = None,
    pinned: NDArray[np.float32] = NO_CENTROIDS,
) -> NDArray[np.float32]:
    """Return k centroids (k, 3) float32: those `pinned` (p, 3), then points far from these and from one another.

    Each is the best of `trials` drawn candidates.
    """
    picked = pick(points, random.random((k - len(pinned), trials or trials_for(k))), pinned)
    return np.concatenate([pinned, picked])


def trials_for(k: int) -> int:
    """Return how many candidates are drawn for each centroid, as in the paper."""
    return 2 + int(np.log(k))


@kernel
def pick(points: Points, draws: NDArray[np.float64], pinned: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return one point for each row of `draws` (k, trials), numbers in [0, 1), as (k, 3) float32.

    A candidate is drawn with probability proportional to count x squared distance to the points picked before and to
    those `pinned` (p, 3); the one that leaves the least distortion is picked.
    """
    positions, n, (k, n_trials) = points.positions, len(points.sums), draws.shape
    picked, weights = np.empty((k, 3), np.float32), np.empty(n)
    squared, running = np.empty((4, n), np.float32), np.empty((4, n))
    # ^ of each point to the nearest that was picked, and sums of these by weight: before, after the best, and after two
    before, best, one, other = 0, 1, 2, 3
    squared[before] = 1
    if len(pinned):
        assign(positions, pinned, np.empty(n, np.uint8), squared[before])
    _begin(points.sums, squared[before], weights, running[before])
    if len(pinned) == 0:
        squared[before] = FLOAT_MAX
    for j in range(k):
        least, drawn = np.inf, n_trials if j or len(pinned) else 1
        for draw in range(0, drawn, 2):
            row = _drawn(running[before], draws[j, draw])
            other_row = _drawn(running[before], draws[j, draw + 1]) if draw + 1 < drawn else row
            _limit_distances(positions, row, squared[before], squared[one])
            _limit_distances(positions, other_row, squared[before], squared[other])
            _add_both(weights, squared[one], squared[other], running[one], running[other])
            if running[other, n - 1] < running[one, n - 1]:
                row, one, other = other_row, other, one
            if running[one, n - 1] < least:
                least = running[one, n - 1]
                for c in range(3):
                    picked[j, c] = positions[c, row]
                best, one = one, best
        before, best = best, before
    return picked


@kernel
def _begin(
    sums: NDArray[np.int64], squared: NDArray[np.float32], weights: NDArray[np.float64], running: NDArray[np.float64]
) -> None:
    """Set `weights` (n,) to the counts of points, `running` (n,) to the sums of count x `squared`."""
    total = 0.0
    for i in range(weights.size):
        weights[i] = sums[i, 3]
        total += weights[i] * squared[i]
        running[i] = total


@kernel
def _drawn(running: NDArray[np.float64], draw: float) -> int:
    """Return the first row of `running` (n,), which ascends, that is above this share of the last; n - 1 at most."""
    value, low, high = draw * running[running.size - 1], 0, running.size - 1
    while low < high:
        middle = (low + high) // 2
        if running[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _limit_distances(
    positions: NDArray[np.float32], row: int, nearest: NDArray[np.float32], squared: NDArray[np.float32]
) -> None:
    """Set `squared` (n,) to the squared distances to a point, `nearest` (n,) at most."""
    x, y, z = positions[0, row], positions[1, row], positions[2, row]
    for i in range(nearest.size):
        dx, dy, dz = positions[0, i] - x, positions[1, i] - y, positions[2, i] - z
        squared[i] = min(nearest[i], dx * dx + dy * dy + dz * dz)


@kernel
def _add_both(
    weights: NDArray[np.float64],
    one: NDArray[np.float32],
    other: NDArray[np.float32],
    running: NDArray[np.float64],
    other_running: NDArray[np.float64],
) -> None:
    """Set the running sums (n,) of two arrays (n,) by weight; at once, since each sum waits for the one before it."""
    total = other_total = 0.0
    for i in range(weights.size):
        total += weights[i] * one[i]
        running[i] = total
        other_total += weights[i] * other[i]
        other_running[i] = other_total
