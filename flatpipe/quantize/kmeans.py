"""Weighted k-means on a colour table: Lloyd's iteration with exact integer sums.

Sums of count x coordinate are int64, so a centroid does not depend on the order in which points were added, nor on the
number of threads or the width of the processor's registers. No fast-math: every machine computes the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from flatpipe.quantize.levels import PointTable

_BLOCK = 256
# ^ points whose distances are compared at a time: they stay in the first-level cache


@dataclass(frozen=True)
class Clusters:
    """`labels` (n,) uint8: nearest centroid of each point; `centroids` (k, 3) float64; `distortion` float."""

    labels: NDArray[np.uint8]
    centroids: NDArray[np.float64]
    distortion: float


def refine(points: PointTable, centroids: NDArray[np.float64], max_rounds: int = 300, tol: float = 0.0) -> Clusters:
    """Return the clusters that Lloyd's iteration reaches from `centroids` (k, 3) float64, which stay untouched.

    It stops when no centroid moves farther than `tol` (units of the space), at the latest after `max_rounds`.
    """
    moved = centroids.copy()
    labels, distortion = _iterate(points.positions, points.counts, points.sums, moved, max_rounds, tol)
    return Clusters(labels, moved, distortion)


@njit(nogil=True, cache=True)
def _iterate(
    positions: NDArray[np.float32],
    counts: NDArray[np.int64],
    sums: NDArray[np.int64],
    centroids: NDArray[np.float64],
    max_rounds: int,
    tol: float,
) -> tuple[NDArray[np.uint8], float]:
    """Move `centroids` (k, 3), INOUT, by Lloyd's iteration; return labels and distortion for where they end."""
    labels = np.empty(counts.size, np.uint8)
    nearest = np.empty(counts.size)
    for _ in range(max_rounds):
        assign(positions, centroids, labels, nearest)
        if _move_to_means(counts, sums, positions, labels, nearest, centroids) <= tol * tol:
            break
    assign(positions, centroids, labels, nearest)
    distortion = 0.0
    for i in range(counts.size):
        distortion += counts[i] * nearest[i]
    return labels, distortion


@njit(nogil=True, cache=True)
def assign(
    positions: NDArray[np.float32],
    centroids: NDArray[np.float64],
    labels: NDArray[np.uint8],
    nearest: NDArray[np.float64],
) -> None:
    """Set `labels` (n,) to each point's nearest centroid, the lowest of equals, `nearest` to its squared distance."""
    for start in range(0, labels.size, _BLOCK):
        stop = min(labels.size, start + _BLOCK)
        x, y, z = positions[0, start:stop], positions[1, start:stop], positions[2, start:stop]
        label, least = labels[start:stop], nearest[start:stop]
        label[:] = 0
        least[:] = np.inf
        for j in range(centroids.shape[0]):
            cx, cy, cz = centroids[j, 0], centroids[j, 1], centroids[j, 2]
            for i in range(stop - start):
                # no branch: the compiler compares several points at once
                dx, dy, dz = x[i] - cx, y[i] - cy, z[i] - cz
                squared = dx * dx + dy * dy + dz * dz
                closer = squared < least[i]
                label[i] = j if closer else label[i]
                least[i] = squared if closer else least[i]


@njit(nogil=True, cache=True)
def _move_to_means(
    counts: NDArray[np.int64],
    sums: NDArray[np.int64],
    positions: NDArray[np.float32],
    labels: NDArray[np.uint8],
    nearest: NDArray[np.float64],
    centroids: NDArray[np.float64],
) -> float:
    """Move each centroid to the mean of its points; return the largest squared shift.

    An empty cluster moves to the point that adds most to the distortion, count x squared distance.
    """
    k = centroids.shape[0]
    totals = np.zeros((k, 4), np.int64)
    for i in range(counts.size):
        row = totals[labels[i]]
        row[0] += sums[0, i]
        row[1] += sums[1, i]
        row[2] += sums[2, i]
        row[3] += counts[i]
    largest = 0.0
    for j in range(k):
        farthest = np.int64(-1)
        if totals[j, 3] == 0:
            farthest = np.argmax(counts * nearest)
            nearest[farthest] = 0.0
        shift = 0.0
        for c in range(3):
            target = np.float64(positions[c, farthest]) if farthest >= 0 else totals[j, c] / totals[j, 3]
            shift += (target - centroids[j, c]) ** 2
            centroids[j, c] = target
        largest = max(largest, shift)
    return largest
