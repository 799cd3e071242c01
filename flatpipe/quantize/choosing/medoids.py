"""Many choices of colours from a chart: a good one made better by swaps, as long as one pays.

A swap takes a colour of the chart in for one that is chosen. For each that could be taken in, one pass over the points
tells what it saves and what giving up each chosen one then costs; the first swap that pays is made at once. FasterPAM:
E. Schubert and P. J. Rousseeuw, "Fast and eager k-medoids clustering", 2021; here the medoids are colours of the chart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import Points
from flatpipe.quantize.search.kmeans import FLOAT_MAX

_GAIN = 1e-9
# ^ part of the distortion that a swap must save: more than rounding, so that none is ever undone
_MAX_ROUNDS = 100


class Nearest(NamedTuple):
    """For each of n points the two nearest of the chosen colours, as places among these, and the squared distances."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    least: NDArray[np.float32]
    next_least: NDArray[np.float32]


@kernel
def swap_chosen(points: Points, targets: NDArray[np.float32], chosen: NDArray[np.int64], fixed: int) -> float:
    """Better `chosen` (k,), INOUT, different rows of `targets` (m, 3), k > 1, by swaps; return the distortion.

    The first `fixed` rows are always chosen, and stand first in it.
    """
    is_chosen = np.zeros(len(targets), np.bool_)
    for row in chosen:
        is_chosen[row] = True
    nearest = _find_nearest(points, targets, chosen)
    total, cost = _given_up(points, nearest, chosen.size)
    squared, change = np.empty(len(points.sums), np.float32), np.empty(chosen.size)
    since, row = 0, 0
    for _ in range(_MAX_ROUNDS * len(targets)):
        if since == len(targets):
            break
        since += 1
        if not is_chosen[row]:
            saved = _take_in(points, targets[row], nearest, cost, squared, change)
            place = fixed + int(np.argmin(change[fixed:]))
            if change[place] - saved < -_GAIN * total:
                is_chosen[chosen[place]], is_chosen[row] = False, True
                chosen[place] = row
                _update(points, targets, chosen, place, squared, nearest)
                total, cost = _given_up(points, nearest, chosen.size)
                since = 0
        row = (row + 1) % len(targets)
    return total


@kernel
def _take_in(
    points: Points,
    target: NDArray[np.float32],
    nearest: Nearest,
    cost: NDArray[np.float64],
    squared: NDArray[np.float32],
    change: NDArray[np.float64],
) -> float:
    """Return what taking `target` (3,) in saves; set `change` (k,) to what giving up each chosen one then costs.

    `squared` (n,) are set to the distances to it; `cost` (k,) is what giving up each costs without it.
    """
    positions, sums = points
    for i in range(squared.size):
        dx, dy, dz = positions[0, i] - target[0], positions[1, i] - target[1], positions[2, i] - target[2]
        squared[i] = dx * dx + dy * dy + dz * dz
    change[:] = cost
    saved = 0.0
    for i in range(squared.size):
        if squared[i] < nearest.next_least[i]:
            weight = np.float64(sums[i, 3])
            if squared[i] < nearest.least[i]:
                saved += weight * (np.float64(nearest.least[i]) - squared[i])
                change[nearest.first[i]] -= weight * (np.float64(nearest.next_least[i]) - nearest.least[i])
            else:
                change[nearest.first[i]] -= weight * (np.float64(nearest.next_least[i]) - squared[i])
    return saved


@kernel
def _given_up(points: Points, nearest: Nearest, k: int) -> tuple[float, NDArray[np.float64]]:
    """Return the distortion, and what giving up each of k chosen colours costs, (k,)."""
    total, cost = 0.0, np.zeros(k)
    for i in range(nearest.first.size):
        weight = np.float64(points.sums[i, 3])
        total += weight * nearest.least[i]
        cost[nearest.first[i]] += weight * (np.float64(nearest.next_least[i]) - nearest.least[i])
    return total, cost


@kernel
def _find_nearest(points: Points, targets: NDArray[np.float32], chosen: NDArray[np.int64]) -> Nearest:
    n = len(points.sums)
    nearest = Nearest(np.zeros(n, np.int64), np.zeros(n, np.int64), np.empty(n, np.float32), np.empty(n, np.float32))
    for i in range(n):
        _look_for(points, targets, chosen, i, nearest)
    return nearest


@kernel
def _look_for(
    points: Points, targets: NDArray[np.float32], chosen: NDArray[np.int64], i: int, nearest: Nearest
) -> None:
    """Set the two nearest of point i."""
    nearest.least[i] = nearest.next_least[i] = FLOAT_MAX
    for place in range(chosen.size):
        squared = np.float32(0)
        for c in range(3):
            squared += (points.positions[c, i] - targets[chosen[place], c]) ** 2
        _put(place, squared, i, nearest)


@kernel
def _put(place: int, squared: np.float32, i: int, nearest: Nearest) -> None:
    """Put a chosen colour among the two nearest of point i where it belongs."""
    if squared < nearest.least[i]:
        nearest.second[i], nearest.next_least[i] = nearest.first[i], nearest.least[i]
        nearest.first[i], nearest.least[i] = place, squared
    elif squared < nearest.next_least[i]:
        nearest.second[i], nearest.next_least[i] = place, squared


@kernel
def _update(
    points: Points,
    targets: NDArray[np.float32],
    chosen: NDArray[np.int64],
    place: int,
    squared: NDArray[np.float32],
    nearest: Nearest,
) -> None:
    """Bring the two nearest of all points up to a new colour in this place, at these distances (n,)."""
    for i in range(squared.size):
        if nearest.first[i] == place or nearest.second[i] == place:
            _look_for(points, targets, chosen, i, nearest)
        else:
            _put(place, squared[i], i, nearest)
