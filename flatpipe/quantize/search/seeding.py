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
    positions, sums = points
    n = len(sums)
    picked = np.empty((len(draws), 3), np.float32)
    nearest, closest = np.full(n, np.float32(1)), np.empty(n, np.float32)
    trial, running = np.empty(n, np.float32), np.empty(n)
    is_first = len(pinned) == 0
    if not is_first:
        assign(positions, pinned, np.empty(n, np.uint8), nearest)
    for j in range(len(draws)):
        total = 0.0
        for i in range(n):
            total += sums[i, 3] * nearest[i]
            running[i] = total
        if is_first:
            nearest[:] = FLOAT_MAX
        least = np.inf
        for draw in range(1 if is_first else draws.shape[1]):
            row = min(_first_above(running, draws[j, draw] * total), n - 1)
            left = _try_point(positions, sums, row, nearest, trial)
            if left < least:
                least = left
                for c in range(3):
                    picked[j, c] = positions[c, row]
                closest, trial = trial, closest
        nearest, closest = closest, nearest
        is_first = False
    return picked


@kernel
def _first_above(running: NDArray[np.float64], value: float) -> int:
    """Return the first row of `running` (n,), which ascends, that is above `value`; n when none is."""
    low, high = 0, running.size
    while low < high:
        middle = (low + high) // 2
        if running[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _try_point(
    positions: NDArray[np.float32],
    sums: NDArray[np.int64],
    row: int,
    nearest: NDArray[np.float32],
    trial: NDArray[np.float32],
) -> float:
    """Set `trial` (n,) to the squared distances that would be left if point `row` were picked; return their total."""
    x, y, z = positions[0, row], positions[1, row], positions[2, row]
    for i in range(trial.size):
        dx, dy, dz = positions[0, i] - x, positions[1, i] - y, positions[2, i] - z
        trial[i] = min(nearest[i], dx * dx + dy * dy + dz * dz)
    left = 0.0
    for i in range(trial.size):
        left += sums[i, 3] * trial[i]
    return left
