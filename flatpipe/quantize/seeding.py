"""First centroids: greedy k-means++ on weighted points.

Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", 2007, section 5 for the greedy form.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def pick_spread(
    positions: NDArray[np.float32], counts: NDArray[np.int64], k: int, draws: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return k distinct points, far apart, as (k, 3) float64; each is the best of draws.shape[1] drawn candidates.

    A candidate is drawn with probability proportional to count x squared distance to the points already picked.
    `draws` is (k, trials) float64 in [0, 1): all the randomness there is.
    """
    n = counts.size
    chosen = np.empty((k, 3))
    nearest = np.ones(n)
    running = np.empty(n)
    for j in range(k):
        total = 0.0
        for i in range(n):
            total += counts[i] * nearest[i]
            running[i] = total
        best, best_left = 0, np.inf
        for t in range(draws.shape[1] if j else 1):
            candidate = min(np.searchsorted(running, draws[j, t] * total, side="right"), n - 1)
            left = 0.0
            for i in range(n):
                left += counts[i] * min(nearest[i] if j else np.inf, _squared(positions, i, candidate))
            if left < best_left:
                best, best_left = candidate, left
        for i in range(n):
            nearest[i] = min(nearest[i] if j else np.inf, _squared(positions, i, best))
        for c in range(3):
            chosen[j, c] = positions[c, best]
    return chosen


@njit(nogil=True, cache=True)
def _squared(positions: NDArray[np.float32], i: int, j: int) -> float:
    """Squared distance between points i and j."""
    total = 0.0
    for c in range(3):
        gap = np.float64(positions[c, i]) - np.float64(positions[c, j])
        total += gap * gap
    return total
