"""Filtered Lloyd: the last iterations, on every colour, at the price of the colours near a border between clusters.

A cell of neighbouring colours that lies wholly on one side of every border is moved at once, by its exact sums; only
the colours of the other cells are compared with the centroids one by one. After the filtering algorithm of T. Kanungo
et al., "An efficient k-means clustering algorithm", 2002, and D. Pelleg and A. Moore, "Accelerating exact k-means",
1999; theirs walks a tree anew in each round, here one layer of cells is filtered with a margin that several rounds use.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import Cells, ColorPyramid, Points
from flatpipe.quantize.search.kmeans import add_up, assign_two, move_points, move_to_means
from flatpipe.quantize.search.nearby import assign_nearby, find_nearby

_MAX_ROUNDS = 100
_SLACK = 1.5
# ^ in 8-bit levels: most centroids end within it of where the search left them; with 3, twice as many are watched
_FEW = 32
# ^ centroids up to which borders are looked for: with more, most colours are near one


class Borders(NamedTuple):
    """What a set of centroids divides: cells on one side of every border, and the colours of all others."""

    near: NDArray[np.uint8]
    # ^ (m,) nearest centroid of each cell's mean
    watched: NDArray[np.int64]
    # ^ (w,) the cells that may be divided, ascending
    totals: NDArray[np.int64]
    # ^ (k, 4) exact sums and counts, by cluster, of the cells that are not
    points: Points
    # ^ the colours of the watched cells


class ClusteredColors(NamedTuple):
    """`labels` (n,) uint8: the cluster of each colour; `totals` (k, 4) int64: the clusters' sums and counts."""

    labels: NDArray[np.uint8]
    totals: NDArray[np.int64]


def settle(
    pyramid: ColorPyramid, centroids: NDArray[np.float32], tol: float, whole: bool, pinned: int = 0
) -> ClusteredColors:
    """Return the clusters of all colours, after Lloyd's iteration on them moved `centroids` (k, 3), INOUT.

    `tol` is in 8-bit levels; see `filtered_lloyd`.
    """
    level = pyramid.level_size
    found = filtered_lloyd(
        pyramid.colors, pyramid.cells, centroids, _MAX_ROUNDS, tol * level, _SLACK * level, whole, pinned
    )
    return ClusteredColors(*found)


@kernel
def filtered_lloyd(
    colors: Points,
    cells: Cells,
    centroids: NDArray[np.float32],
    max_rounds: int,
    tol: float,
    slack: float,
    whole: bool,
    pinned: int,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the labels (n,) of all colours and the clusters' exact totals (k, 4), after Lloyd's iteration.

    It moves `centroids` (k, 3), INOUT, until their root mean square shift per pixel is `tol`. With `whole` they move to
    rounded means, the best whole colours there are, so distortion never rises; with `tol` 0 each is in the end the
    rounded mean of its colours. The first `pinned` stay. Borders are drawn anew when a centroid has moved by `slack`.
    """
    labels = np.empty(len(colors.sums), np.uint8)
    for left in range(max_rounds, -1, -1):
        start = centroids.copy()
        borders = _draw_borders(cells, colors, centroids, slack)
        watched, totals = _iterate(borders, centroids, left, tol, slack, whole, pinned)
        if left == 0 or _is_near(start, centroids, slack):
            _label_all(borders, cells, watched, labels)
            break
    return labels, totals


@kernel
def _draw_borders(cells: Cells, colors: Points, centroids: NDArray[np.float32], slack: float) -> Borders:
    """Return which cells no border between `centroids` (k, 3) can reach while these move by less than `slack`."""
    m = cells.radius.size
    if len(centroids) > _FEW:
        everywhere = np.arange(m)
        return Borders(np.zeros(m, np.uint8), everywhere, np.zeros((len(centroids), 4), np.int64), colors)
    near, squared, second = np.empty(m, np.uint8), np.empty(m, np.float32), np.empty(m, np.float32)
    assign_two(cells.points.positions, centroids, near, squared, second)
    gaps, k = _gaps(centroids), len(centroids)
    may_be, groups = np.empty(m, np.bool_), near.copy()
    for i in range(m):
        # without a branch, the compiler looks at many cells at once
        certain = np.sqrt(squared[i]) + 2 * (cells.radius[i] + np.float32(slack))
        may_be[i] = second[i] < certain * certain
    found, n_found, n_colors = _found(may_be), 0, 0
    for i in found:
        if _is_divided(cells, i, centroids, near[i], np.sqrt(squared[i]), gaps, slack):
            groups[i] = k
            n_colors += cells.starts[i + 1] - cells.starts[i]
            found[n_found] = i
            n_found += 1
    watched = found[:n_found]
    totals = add_up(cells.points.sums, groups, k + 1)[:k].copy()
    return Borders(near, watched, totals, _colors_of(cells, colors, watched, n_colors))


@kernel
def _found(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows that are marked. Without a branch: where few are, each one would be a surprise."""
    rows, count = np.empty(marked.size + 1, np.int64), 0
    for i in range(marked.size):
        rows[count] = i
        count += marked[i]
    return rows[:count]


@kernel
def _is_divided(
    cells: Cells,
    i: int,
    centroids: NDArray[np.float32],
    near: int,
    distance: np.float32,
    gaps: NDArray[np.float32],
    slack: float,
) -> bool:
    """Whether a colour of cell i could be nearer to another centroid, if all of these moved by `slack`.

    At the cell's mean, be a and b the distances to the nearest centroid and to another one, g the gap of the two, r the
    cell's radius. At its colours b^2 - a^2 is less by 2 r g at most, a + b is more by 2 r at most. So b - a is at least
    2 slack everywhere in the cell if b^2 - a^2 >= 2 r g + 2 slack (a + b + 2 r); a + b >= 2 a makes this a bound for b.
    """
    positions = cells.points.positions
    x, y, z = positions[0, i], positions[1, i], positions[2, i]
    radius, margin = cells.radius[i], np.float32(2 * slack)
    share = radius / max(distance, np.float32(1e-6))
    for j in range(len(centroids)):
        bound = distance + min(margin + 2 * radius, share * gaps[near, j] + margin * (1 + share))
        dx, dy, dz = x - centroids[j, 0], y - centroids[j, 1], z - centroids[j, 2]
        if j != near and dx * dx + dy * dy + dz * dz < bound * bound:
            return True
    return False


@kernel
def _colors_of(cells: Cells, colors: Points, chosen: NDArray[np.int64], n_colors: int) -> Points:
    """Return the `n_colors` colours of the `chosen` cells (w,), in order."""
    positions, sums = np.empty((3, n_colors), np.float32), np.empty((n_colors, 4), np.int64)
    place = 0
    for cell in chosen:
        start, stop = cells.starts[cell], cells.starts[cell + 1]
        for c in range(3):
            for i in range(stop - start):
                positions[c, place + i] = colors.positions[c, start + i]
        for i in range(stop - start):
            for c in range(4):
                sums[place + i, c] = colors.sums[start + i, c]
        place += stop - start
    return Points(positions, sums)


@kernel
def _iterate(
    borders: Borders,
    centroids: NDArray[np.float32],
    max_rounds: int,
    tol: float,
    slack: float,
    whole: bool,
    pinned: int,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Move `centroids` (k, 3), INOUT, by the watched colours alone; return their last labels, and the totals."""
    points = borders.points
    labels, fresh = np.empty(len(points.sums), np.uint8), np.empty(len(points.sums), np.uint8)
    squared = np.empty(labels.size, np.float32)
    nearby = find_nearby(points.positions, centroids, slack)
    assign_nearby(points.positions, centroids, nearby, labels, squared)
    totals = add_up(points.sums, labels, len(centroids))
    for j in range(len(centroids)):
        for c in range(4):
            totals[j, c] += borders.totals[j, c]
    for _ in range(max_rounds):
        if move_to_means(totals, centroids, whole, pinned) <= tol * tol:
            break
        assign_nearby(points.positions, centroids, nearby, fresh, squared)
        move_points(points.sums, labels, fresh, totals)
    return labels, totals


@kernel
def _label_all(borders: Borders, cells: Cells, labels_watched: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """Set the labels of all colours (n,), given those of the watched colours."""
    near, starts = borders.near, cells.starts
    for cell in range(near.size):
        for i in range(starts[cell], starts[cell + 1]):
            labels[i] = near[cell]
    place = 0
    for cell in borders.watched:
        for i in range(starts[cell], starts[cell + 1]):
            labels[i] = labels_watched[place]
            place += 1


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
def _is_near(start: NDArray[np.float32], moved: NDArray[np.float32], slack: float) -> bool:
    """Whether all centroids are nearer than 0.9 `slack` to where they started; the rest is for float32's rounding."""
    for j in range(len(start)):
        squared = 0.0
        for c in range(3):
            squared += (moved[j, c] - start[j, c]) ** 2
        if squared > (0.9 * slack) ** 2:
            return False
    return True
