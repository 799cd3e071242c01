"""Leaving a poor local optimum: merge two clusters where it costs little, split one where it gains much.

The cost of a merge and the gain of a split are estimated for all clusters at once; the most promising pairs are tried
by a few rounds of Lloyd's iteration. In the spirit of split-and-merge k-means (H. Muhr and M. Granitzer, 2009) and of
random swap (P. Fraenti, 2018), with the swaps ranked instead of drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import Points
from flatpipe.quantize.search.halving import halve
from flatpipe.quantize.search.kmeans import assign_two, copy_rows, lloyd

_QUICK_ROUNDS = 4
# ^ of Lloyd's iteration before a swap is judged
_PROMISE = 0.02
# ^ a swap whose distortion is by then within this part of the best is followed to its end
_GAIN = 1e-6
# ^ least relative gain in distortion for which a swap is kept
_MAX_ROUNDS = 100
_MAX_SWAPS = 20


@kernel
def improve(
    points: Points, centroids: NDArray[np.float32], tries: int, tol: float, energy: float, pinned: int
) -> float:
    """Move `centroids` (k, 3), INOUT, but the first `pinned`, by Lloyd's iteration and swaps; return what they gain.

    `tries` is the number of swaps that must fail before the search ends; `energy` that of all colours.
    """
    best: float = lloyd(points, centroids, _MAX_ROUNDS, tol, pinned)
    k = len(centroids)
    if k == 1 or tries == 0:
        return best
    trial = np.empty_like(centroids)
    for _ in range(_MAX_SWAPS):
        promise, halves = _rank_swaps(points, centroids, pinned)
        swapped = False
        for _ in range(min(tries, (k - pinned) * (k - 1))):
            merged, split = _most_promising(promise)
            promise[merged, split] = -np.inf
            copy_rows(centroids, trial)
            for c in range(3):
                trial[merged, c] = halves[split, 0, c]
                trial[split, c] = halves[split, 1, c] if split >= pinned else centroids[split, c]
            found = lloyd(points, trial, _QUICK_ROUNDS, tol, pinned)
            if found > best - _PROMISE * (energy - best):
                found = lloyd(points, trial, _MAX_ROUNDS, tol, pinned)
            if found > best + _GAIN * (energy - best):
                best, swapped = found, True
                copy_rows(trial, centroids)
                break
        if not swapped:
            break
    return best


@kernel
def _most_promising(promise: NDArray[np.float64]) -> tuple[int, int]:
    """Return row and column of the largest of `promise` (k, k), the first of equals."""
    row, column = 0, 0
    for i in range(len(promise)):
        for j in range(len(promise)):
            if promise[i, j] > promise[row, column]:
                row, column = i, j
    return row, column


@kernel
def _rank_swaps(
    points: Points, centroids: NDArray[np.float32], pinned: int
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the estimated gain of giving up centroid i to split cluster j, (k, k), and each cluster's halves."""
    n, k = len(points.sums), len(centroids)
    labels, squared, second = np.empty(n, np.uint8), np.empty(n, np.float32), np.empty(n, np.float32)
    assign_two(points.positions, centroids, labels, squared, second)
    cost, gain, halves = np.zeros(k), np.empty(k), np.empty((k, 2, 3), np.float32)
    for i in range(n):
        cost[labels[i]] += points.sums[i, 3] * np.float64(second[i] - squared[i])
    halve(points, labels, np.arange(k), centroids, gain, halves, pinned)
    promise = np.empty((k, k))
    for i in range(k):
        for j in range(k):
            promise[i, j] = gain[j] - cost[i] if i != j and i >= pinned else -np.inf
    return promise, halves
