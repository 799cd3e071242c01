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
    totals, middles = np.zeros((members.size, 2, 4)), _rows_of(centroids, members)
    x, y, z = points.positions[0], points.positions[1], points.positions[2]
    for i in range(places.size):
        place, weight = places[i], np.float64(points.sums[i, 3])
        dx = np.float64(x[i] - middles[place, 0])
        dy = np.float64(y[i] - middles[place, 1])
        dz = np.float64(z[i] - middles[place, 2])
        half = totals[place, 1 if dx * axes[place, 0] + dy * axes[place, 1] + dz * axes[place, 2] > 0 else 0]
        half[0] += weight * dx
        half[1] += weight * dy
        half[2] += weight * dz
        half[3] += weight
    return totals


@kernel
def _rows_of(centroids: NDArray[np.float32], members: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return those rows of `centroids` (k, 3), (m, 3)."""
    rows = np.empty((members.size, 3), np.float32)
    for place in range(members.size):
        for c in range(3):
            rows[place, c] = centroids[members[place], c]
    return rows


@kernel
def _main_axes(
    points: Points, places: NDArray[np.uint8], members: NDArray[np.int64], centroids: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the direction of greatest variance of each cluster, (m, 3), of any length, by power iteration.

    Written out, since a loop over the axes would keep what it adds in memory.
    """
    scatter, middles = np.zeros((members.size, 3, 3)), _rows_of(centroids, members)
    x, y, z = points.positions[0], points.positions[1], points.positions[2]
    for i in range(places.size):
        place, weight = places[i], np.float64(points.sums[i, 3])
        dx = np.float64(x[i] - middles[place, 0])
        dy = np.float64(y[i] - middles[place, 1])
        dz = np.float64(z[i] - middles[place, 2])
        wx, wy, wz = weight * dx, weight * dy, weight * dz
        scatter[place, 0, 0] += wx * dx
        scatter[place, 0, 1] += wx * dy
        scatter[place, 0, 2] += wx * dz
        scatter[place, 1, 0] += wy * dx
        scatter[place, 1, 1] += wy * dy
        scatter[place, 1, 2] += wy * dz
        scatter[place, 2, 0] += wz * dx
        scatter[place, 2, 1] += wz * dy
        scatter[place, 2, 2] += wz * dz
    return _find_axes(scatter)


@kernel
def _find_axes(scatter: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the directions (m, 3) in which each `scatter` (m, 3, 3) is greatest.

    All take a step in turn: each waits for the one before it.
    """
    axes = np.empty((len(scatter), 3))
    for place in range(len(scatter)):
        widest = 0
        for c in range(1, 3):
            if scatter[place, c, c] > scatter[place, widest, widest]:
                widest = c
        for c in range(3):
            axes[place, c] = scatter[place, widest, c]
    for _ in range(8):
        for place in range(len(scatter)):
            x, y, z = axes[place, 0], axes[place, 1], axes[place, 2]
            turned_x = scatter[place, 0, 0] * x + scatter[place, 0, 1] * y + scatter[place, 0, 2] * z
            turned_y = scatter[place, 1, 0] * x + scatter[place, 1, 1] * y + scatter[place, 1, 2] * z
            turned_z = scatter[place, 2, 0] * x + scatter[place, 2, 1] * y + scatter[place, 2, 2] * z
            length = max(abs(turned_x), abs(turned_y), abs(turned_z))
            if length > 0:
                axes[place, 0], axes[place, 1], axes[place, 2] = turned_x / length, turned_y / length, turned_z / length
    return axes
