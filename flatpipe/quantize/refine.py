"""The last iterations, on every colour of the image, at the price of the colours near a border between clusters.

A cell of neighbouring colours that lies wholly on one side of every border is moved at once, by its exact sums; only
the colours of the other cells are compared with the centroids one by one. The idea is that of filtering: T. Kanungo et
al., "An efficient k-means clustering algorithm", 2002; D. Pelleg and A. Moore, "Accelerating exact k-means", 1999.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.kmeans import add_up, assign, assign_two, move_points, move_to_means
from flatpipe.quantize.levels import Cells, Points


class Borders(NamedTuple):
    """What a set of centroids divides: cells on one side of every border, and the colours of all others."""

    near: NDArray[np.uint8]
    # ^ (m,) nearest centroid of each cell's mean
    watched: NDArray[np.bool_]
    # ^ (m,) whether the cell may be divided
    totals: NDArray[np.int64]
    # ^ (k, 4) exact sums and counts, by cluster, of the cells that are not
    points: Points
    # ^ the colours of the watched cells


@kernel
def approach(
    colors: Points, cells: Cells, centroids: NDArray[np.float32], max_rounds: int, tol: float, slack: float
) -> None:
    """Move `centroids` (k, 3), INOUT, by Lloyd's iteration on all colours until their root mean square shift is `tol`.

    Colours within `slack` of a border are watched; borders are drawn anew when a centroid has gone half as far.
    """
    for _ in range(max_rounds):
        start = centroids.copy()
        borders = _draw_borders(cells, colors, centroids, slack)
        _iterate(borders, centroids, max_rounds, tol, False)
        if _largest_gap(start, centroids) <= slack / 2:
            break


@kernel
def settle(
    colors: Points, cells: Cells, palette: NDArray[np.float32], max_rounds: int, slack: float
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return each colour's nearest row of `palette`, (n,), and the rows' exact totals (k, 4), laid out as `sums`.

    At most `max_rounds` times before that, Lloyd's iteration in whole numbers moves `palette` (k, 3), INOUT, until each
    row is the rounded mean of its colours. That mean is the best whole colour there is, so distortion never rises.
    """
    labels = np.empty(len(colors.sums), np.uint8)
    left = max_rounds
    while True:
        start = palette.copy()
        borders = _draw_borders(cells, colors, palette, slack)
        watched, totals = _iterate(borders, palette, left, 0.0, True)
        if left == 0 or _largest_gap(start, palette) == 0:
            _label_all(borders, cells, watched, labels)
            return labels, totals
        left -= 1


@kernel
def _draw_borders(cells: Cells, colors: Points, centroids: NDArray[np.float32], slack: float) -> Borders:
    """Return what lies farther than `slack` from every border between `centroids` (k, 3), and what must be watched."""
    m = cells.radius.size
    near, squared, second = np.empty(m, np.uint8), np.empty(m, np.float32), np.empty(m, np.float32)
    assign_two(cells.points.positions, centroids, near, squared, second)
    watched = np.empty(m, np.bool_)
    for i in range(m):
        reach = cells.radius[i] + np.float32(slack)
        watched[i] = math.sqrt(second[i]) - math.sqrt(squared[i]) < 2 * reach
    gaps = _gaps(centroids)
    totals = np.zeros((len(centroids), 4), np.int64)
    n_watched = 0
    for i in range(m):
        if watched[i]:
            watched[i] = _is_divided(cells, i, centroids, near[i], squared[i], gaps, slack)
        if watched[i]:
            n_watched += cells.starts[i + 1] - cells.starts[i]
        else:
            for c in range(4):
                totals[near[i], c] += cells.points.sums[i, c]
    return Borders(near, watched, totals, _watched_colors(cells, colors, watched, n_watched))


@kernel
def _is_divided(
    cells: Cells,
    i: int,
    centroids: NDArray[np.float32],
    near: int,
    squared: float,
    gaps: NDArray[np.float32],
    slack: float,
) -> bool:
    """Whether a border between cell i's nearest centroid and another passes within `slack` of the cell's colours."""
    positions = cells.points.positions
    x, y, z = positions[0, i], positions[1, i], positions[2, i]
    twice_reach = 2 * (cells.radius[i] + np.float32(slack))
    for j in range(len(centroids)):
        dx, dy, dz = x - centroids[j, 0], y - centroids[j, 1], z - centroids[j, 2]
        # distance to the border: difference of the squared distances over twice the gap of the centroids
        if j != near and dx * dx + dy * dy + dz * dz - squared < gaps[near, j] * twice_reach:
            return True
    return False


@kernel
def _watched_colors(cells: Cells, colors: Points, watched: NDArray[np.bool_], n_watched: int) -> Points:
    """Return the colours of the watched cells, in order."""
    positions, sums = np.empty((3, n_watched), np.float32), np.empty((n_watched, 4), np.int64)
    place = 0
    for i in range(watched.size):
        if watched[i]:
            for row in range(cells.starts[i], cells.starts[i + 1]):
                for c in range(3):
                    positions[c, place] = colors.positions[c, row]
                for c in range(4):
                    sums[place, c] = colors.sums[row, c]
                place += 1
    return Points(positions, sums)


@kernel
def _iterate(
    borders: Borders, centroids: NDArray[np.float32], max_rounds: int, tol: float, whole: bool
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Move `centroids` (k, 3), INOUT, by the watched colours alone; return their last labels, and the totals."""
    points = borders.points
    labels, fresh = np.empty(len(points.sums), np.uint8), np.empty(len(points.sums), np.uint8)
    squared = np.empty(labels.size, np.float32)
    assign(points.positions, centroids, labels, squared)
    totals = borders.totals + add_up(points.sums, labels, len(centroids))
    for _ in range(max_rounds):
        if move_to_means(totals, centroids, whole) <= tol * tol:
            break
        assign(points.positions, centroids, fresh, squared)
        move_points(points.sums, labels, fresh, totals)
    return labels, totals


@kernel
def _label_all(borders: Borders, cells: Cells, watched: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """Set the labels of all colours (n,), given those of the watched colours."""
    place = 0
    for i in range(borders.near.size):
        for row in range(cells.starts[i], cells.starts[i + 1]):
            if borders.watched[i]:
                labels[row] = watched[place]
                place += 1
            else:
                labels[row] = borders.near[i]


@kernel
def _gaps(centroids: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distances between centroids, (k, k) float32."""
    k = len(centroids)
    gaps = np.zeros((k, k), np.float32)
    for i in range(k):
        for j in range(i):
            squared = np.float32(0)
            for c in range(3):
                squared += (centroids[i, c] - centroids[j, c]) ** 2
            gaps[i, j] = gaps[j, i] = math.sqrt(squared)
    return gaps


@kernel
def _largest_gap(start: NDArray[np.float32], moved: NDArray[np.float32]) -> float:
    """Return how far the centroid has gone that has gone farthest."""
    largest = 0.0
    for j in range(len(start)):
        squared = 0.0
        for c in range(3):
            squared += (moved[j, c] - start[j, c]) ** 2
        largest = max(largest, squared)
    return math.sqrt(largest)
