"""Few choices of colours from a chart, weighed one by one: the best of all, exactly.

Each choice is weighed by cells of the colours first, coarse ones and then finer ones. Put wholly to the colour nearest
to its mean, a cell costs exactly what its sums say, and that is the most; a colour of it that is nearer to another one
can save only what its distance from the mean allows. Choices that cost more at least than another one at most are out;
what is left, mostly one or two, is weighed by every single colour.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import ColorPyramid, Points

_MARGIN = 1e-4
# ^ in 8-bit levels: what float32 may have rounded off a radius
_ROUNDING = 1e-9
# ^ part of a cost that adding up may round off
_BLOCK = 1024
# ^ colours at a time: they stay in the first-level cache


class Weighed(NamedTuple):
    """What each of s choices costs beyond the distortion inside the cells, at least and at most: (s,) float64."""

    least: NDArray[np.float64]
    most: NDArray[np.float64]


def best_choice(pyramid: ColorPyramid, targets: NDArray[np.float64], size: int, fixed: int) -> NDArray[np.int64]:
    """Return the `size` rows of `targets` (m, 3) that are best beside the first `fixed`; of equals the first."""
    rows = np.array(list(combinations(range(fixed, len(targets)), size)), np.int64)
    choices = np.concatenate([np.broadcast_to(np.arange(fixed), (len(rows), fixed)), rows], axis=1)
    for depths in (2, 1, 0):
        means, weights, radius = cells_above(pyramid, depths)
        weighed = weigh_choices(means, weights, radius, targets, choices)
        choices = choices[weighed.least <= weighed.most.min() * (1 + _ROUNDING) + _ROUNDING]
    costs = [distortion_of(pyramid.colors, targets[choice]) for choice in choices]
    chosen: NDArray[np.int64] = choices[int(np.argmin(costs)), fixed:]
    return chosen


def cells_above(
    pyramid: ColorPyramid, depths: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return means (3, c), weights and radius (c,) of the cells so many depths above the smallest ones."""
    cells = pyramid.cells
    places = pyramid.places >> 3 * depths
    firsts = np.flatnonzero(np.diff(places, prepend=-1))
    sums = np.add.reduceat(cells.points.sums, firsts)
    means = sums[:, :3] / sums[:, 3:]
    centers = means[np.repeat(np.arange(firsts.size), np.diff(firsts, append=places.size))]
    away = np.sqrt(((cells.points.positions.T - centers) ** 2).sum(axis=1))
    radius = np.maximum.reduceat(away + cells.radius, firsts) + _MARGIN * pyramid.level_size
    return np.ascontiguousarray(means.T), sums[:, 3].astype(np.float64), radius


@kernel
def distortion_of(points: Points, targets: NDArray[np.float64]) -> float:
    """Return the sum over the points of count x squared distance to the nearest of `targets` (k, 3)."""
    total = 0.0
    distances = np.empty(_BLOCK)
    for start in range(0, len(points.sums), _BLOCK):
        stop = min(len(points.sums), start + _BLOCK)
        positions = points.positions[:, start:stop]
        x, y, z = positions[0], positions[1], positions[2]
        least = distances[: stop - start]
        least[:] = np.inf
        for j in range(len(targets)):
            cx, cy, cz = targets[j, 0], targets[j, 1], targets[j, 2]
            for i in range(stop - start):
                dx, dy, dz = x[i] - cx, y[i] - cy, z[i] - cz
                least[i] = min(least[i], dx * dx + dy * dy + dz * dz)
        for i in range(stop - start):
            total += points.sums[start + i, 3] * least[i]
    return total


@kernel
def weigh_choices(
    means: NDArray[np.float64],
    weights: NDArray[np.float64],
    radius: NDArray[np.float64],
    targets: NDArray[np.float64],
    choices: NDArray[np.int64],
) -> Weighed:
    """Return the bounds of `choices` (s, k) of targets (m, 3), given the cells' means (3, c), weights and radius (c,).

    Be a and b the squared distances of a cell's mean to the nearest target and to another one, g the gap of these two,
    r the radius: no colour of the cell is nearer to the other one by more than a - b + 2 r g.
    """
    gaps = _gaps(targets)
    costs, savings = np.zeros(len(choices)), np.zeros(len(choices))
    squared = np.empty(len(targets))
    for i in range(weights.size):
        for j in range(len(targets)):
            dx, dy, dz = means[0, i] - targets[j, 0], means[1, i] - targets[j, 1], means[2, i] - targets[j, 2]
            squared[j] = dx * dx + dy * dy + dz * dz
        for row in range(len(choices)):
            nearest = choices[row, 0]
            for place in range(1, choices.shape[1]):
                if squared[choices[row, place]] < squared[nearest]:
                    nearest = choices[row, place]
            saving = 0.0
            for place in range(choices.shape[1]):
                other = choices[row, place]
                if other != nearest:
                    saving = max(saving, squared[nearest] - squared[other] + 2 * radius[i] * gaps[nearest, other])
            costs[row] += weights[i] * squared[nearest]
            savings[row] += weights[i] * saving
    return Weighed(costs - savings, costs)


@kernel
def _gaps(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances between targets, (m, m)."""
    m = len(targets)
    gaps = np.zeros((m, m))
    for i in range(m):
        for j in range(m):
            squared = 0.0
            for c in range(3):
                squared += (targets[i, c] - targets[j, c]) ** 2
            gaps[i, j] = np.sqrt(squared)
    return gaps
