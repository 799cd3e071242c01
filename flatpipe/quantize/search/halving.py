"""What dividing a cluster gains: cut through its mean, across the direction in which it is longest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import Points


@kernel
def halve(
    points: Points,
    places: NDArray[np.uint8],
    members: NDArray[np.int64],
    centroids: NDArray[np.float32],
    gain: NDArray[np.float64],
    halves: NDArray[np.float32],
    pinned: int,
) -> None:
    """Set `gain` (k,) and the halves' means, `halves` (k, 2, 3), of the clusters `members` (m,).

    `points` are all of theirs, `places` (n,) says which of the members each point belongs to. Of the first `pinned`
    clusters one half keeps the centroid: `halves` are both the other one, that which gains more.
    """
    totals = _cut(points, places, members, centroids, _main_axes(points, places, members, centroids))
    for place in range(members.size):
        j = members[place]
        gain[j], of_first = 0.0, 0.0
        for side in range(2):
            weight = max(totals[place, side, 3], 1.0)
            for c in range(3):
                offset = totals[place, side, c] / weight
                gain[j] += weight * offset * offset
                halves[j, side, c] = centroids[j, c] + offset
            if side == 0:
                of_first = gain[j]
        if j < pinned:
            better = 0 if 2 * of_first >= gain[j] else 1
            gain[j] = max(of_first, gain[j] - of_first)
            for c in range(3):
                halves[j, 1 - better, c] = halves[j, better, c]


@kernel
def _cut(
    points: Points,
    places: NDArray[np.uint8],
    members: NDArray[np.int64],
    centroids: NDArray[np.float32],
    axes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return sums about the centroid and counts of each cluster's two sides, (m, 2, 4), cut across `axes` (m, 3)."""
    totals = np.zeros((members.size, 2, 4))
    gap = np.empty(3)
    for i in range(places.size):
        place = places[i]
        along = 0.0
        for c in range(3):
            gap[c] = points.positions[c, i] - centroids[members[place], c]
            along += gap[c] * axes[place, c]
        half = totals[place, 1 if along > 0 else 0]
        for c in range(3):
            half[c] += points.sums[i, 3] * gap[c]
        half[3] += points.sums[i, 3]
    return totals


@kernel
def _main_axes(
    points: Points, places: NDArray[np.uint8], members: NDArray[np.int64], centroids: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the direction of greatest variance of each cluster, (m, 3), of any length, by power iteration."""
    scatter = np.zeros((members.size, 3, 3))
    gap = np.empty(3)
    for i in range(places.size):
        place = places[i]
        for c in range(3):
            gap[c] = points.positions[c, i] - centroids[members[place], c]
        for c in range(3):
            for d in range(3):
                scatter[place, c, d] += points.sums[i, 3] * gap[c] * gap[d]
    axes = np.zeros((members.size, 3))
    for place in range(members.size):
        _find_axis(scatter[place], axes[place])
    return axes


@kernel
def _find_axis(scatter: NDArray[np.float64], axis: NDArray[np.float64]) -> None:
    """Set `axis` (3,) to the direction in which `scatter` (3, 3) is greatest."""
    widest = 0
    for c in range(1, 3):
        if scatter[c, c] > scatter[widest, widest]:
            widest = c
    for c in range(3):
        axis[c] = scatter[widest, c]
    turned = np.empty(3)
    for _ in range(8):
        length = 0.0
        for c in range(3):
            turned[c] = scatter[c, 0] * axis[0] + scatter[c, 1] * axis[1] + scatter[c, 2] * axis[2]
            length = max(length, abs(turned[c]))
        if length > 0:
            for c in range(3):
                axis[c] = turned[c] / length
