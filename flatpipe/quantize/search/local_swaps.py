"""Leaving a poor local optimum of many clusters: swap some, shake all, swap again.

A swap is that of swaps.py, with the price of a neighbourhood instead of the whole: cost and gain are estimated for all
clusters at once, tried for the promising ones by a few rounds of Lloyd's iteration among the clusters around, and only
then is the swap itself tried, with the clusters around both.

Swaps put the right number of clusters everywhere, and leave them in disorder, like atoms in a crystal cooled too fast.
Shaken a little, less and less, they find better places: stochastic relaxation (K. Zeger, J. Vaisey and A. Gersho,
"Globally optimal vector quantizer design by stochastic relaxation", 1992).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import Points
from flatpipe.quantize.search.clusters import (
    ESTIMATED,
    IN_VAIN,
    TRIED,
    Clusters,
    Neighborhood,
    build_clusters,
    estimate,
    gather,
    nearest_clusters,
)
from flatpipe.quantize.search.kmeans import add_up, assign, copy_rows, gained, lloyd
from flatpipe.quantize.search.nearby import assign_nearby, find_nearby

_NEAR = 16
# ^ clusters that give way around each that is given up or divided: with 10 a fifth more is left of the excess
_ROUNDS, _ROUNDS_SWAP = 4, 8
# ^ of Lloyd's iteration in a trial
_COST_AT_LEAST, _GAIN_AT_MOST = 0.6, 1.8
# ^ what a trial may find, as parts of the estimates: clusters that are worse even so are not tried
_GAIN = 1e-5
# ^ least relative gain in distortion for which a swap is kept
_REACH = 0.35
# ^ of the first shake, in root mean square distances of a cluster's points


class Trial(NamedTuple):
    """Some clusters with one given up, one divided, or both, after a few rounds."""

    gain: float
    # ^ distortion that this takes off
    here: Neighborhood
    centroids: NDArray[np.float32]
    # ^ of the members in their order, without the one given up; then of the second half of the one divided


@kernel
def improve_many(
    points: Points,
    centroids: NDArray[np.float32],
    draws: NDArray[np.float64],
    max_rounds: int,
    tol: float,
    energy: float,
    pinned: int,
) -> float:
    """Move `centroids` (k, 3), INOUT, by swaps, shakes and Lloyd's iteration; return what they gain.

    The first `pinned` stay. They never end worse than they came. `draws` (times, rounds, k, 3) are numbers in [0, 1):
    how often all is shaken, how long, and where to. `max_rounds` is for Lloyd's iteration, `energy` that of all
    colours.
    """
    best = 0.0
    kept = centroids.copy()
    for time in range(len(draws) + 1):
        _swap_clusters(points, centroids, tol, energy, pinned)
        found = lloyd(points, centroids, max_rounds, tol, pinned)
        if found > best:
            best = found
            copy_rows(centroids, kept)
        else:
            copy_rows(kept, centroids)
        if time < len(draws):
            _shake(points, centroids, draws[time], pinned)
    copy_rows(kept, centroids)
    return best


@kernel
def _swap_clusters(points: Points, centroids: NDArray[np.float32], tol: float, energy: float, pinned: int) -> None:
    """Move `centroids` (k, 3), INOUT, but the first `pinned`, by swaps as long as one pays."""
    clusters = build_clusters(points, centroids, pinned)
    gain = gained(clusters.totals, centroids, pinned)
    least = max(_GAIN * (energy - gain), 1e-12 * gain)
    # ^ more than rounding: no swap may count as a gain, and its reverse too
    while True:
        given_up, divided = _most_promising(clusters)
        if _gain_at_most(clusters, divided) <= _cost_at_least(clusters, given_up) + least:
            break
        try_cost = clusters.cost_known[given_up] == ESTIMATED
        try_gain = not try_cost and clusters.gain_known[divided] == ESTIMATED
        trial = _try(points, clusters, -1 if try_gain else given_up, -1 if try_cost else divided, tol)
        if try_cost:
            clusters.cost[given_up] = min(clusters.cost[given_up], -trial.gain)
            clusters.cost_known[given_up] = TRIED
        elif try_gain:
            clusters.gain[divided] = max(clusters.gain[divided], trial.gain)
            clusters.gain_known[divided] = TRIED
        elif trial.gain > least:
            _take_over(clusters, trial)
            estimate(clusters, gather(points, clusters, _around(clusters, given_up, divided)))
        else:
            clusters.cost_known[given_up] = clusters.gain_known[divided] = IN_VAIN


@kernel
def _cost_at_least(clusters: Clusters, j: int) -> float:
    """Return the least that giving up cluster j may cost."""
    if j < clusters.pinned or clusters.cost_known[j] == IN_VAIN:
        # ^ none of these is given up, and -1 is none
        return np.inf
    least: float = clusters.cost[j] * (_COST_AT_LEAST if clusters.cost_known[j] == ESTIMATED else 1.0)
    return least


@kernel
def _gain_at_most(clusters: Clusters, j: int) -> float:
    """Return the most that dividing cluster j may gain."""
    if j < 0 or clusters.gain_known[j] == IN_VAIN:
        return -np.inf
    most: float = clusters.gain[j] * (_GAIN_AT_MOST if clusters.gain_known[j] == ESTIMATED else 1.0)
    return most


@kernel
def _most_promising(clusters: Clusters) -> tuple[int, int]:
    """Return the cluster that may cost the least, and of the others the one that may gain the most; -1 for none."""
    given_up, divided = -1, -1
    for j in range(len(clusters.cost)):
        if _cost_at_least(clusters, j) < _cost_at_least(clusters, given_up):
            given_up = j
    for j in range(len(clusters.gain)):
        if j != given_up and _gain_at_most(clusters, j) > _gain_at_most(clusters, divided):
            divided = j
    return given_up, divided


@kernel
def _try(points: Points, clusters: Clusters, given_up: int, divided: int, tol: float) -> Trial:
    """Return what becomes of the clusters around when one is given up, one divided, or both; -1 for none."""
    here = gather(points, clusters, _around(clusters, given_up, divided))
    centroids = np.empty((here.members.size + (divided >= 0) - (given_up >= 0), 3), np.float32)
    before, size, pinned = 0.0, 0, 0
    for j in here.members:
        is_pinned = j < clusters.pinned
        pinned += is_pinned
        before += gained(clusters.totals[j : j + 1], clusters.centroids[j : j + 1], 1 if is_pinned else 0)
        if j != given_up:
            for c in range(3):
                is_half = j == divided and not is_pinned
                centroids[size, c] = clusters.halves[j, 0, c] if is_half else clusters.centroids[j, c]
            size += 1
    if divided >= 0:
        for c in range(3):
            centroids[size, c] = clusters.halves[divided, 1, c]
    rounds = _ROUNDS_SWAP if given_up >= 0 and divided >= 0 else _ROUNDS
    after = lloyd(here.points, centroids, rounds, tol, pinned)
    return Trial(after - before, here, centroids)


@kernel
def _around(clusters: Clusters, given_up: int, divided: int) -> NDArray[np.int64]:
    """Return the clusters around the two, -1 for none, each once, pinned ones first; the one to give up is the last."""
    is_member = np.zeros(len(clusters.centroids), np.bool_)
    for center in (divided, given_up):
        if center >= 0:
            for j in nearest_clusters(clusters.centroids, center, _NEAR):
                is_member[j] = True
    members = np.empty(is_member.sum(), np.int64)
    size = 0
    for j in range(is_member.size):
        if is_member[j] and j != given_up:
            members[size] = j
            size += 1
    if given_up >= 0:
        members[size] = given_up
    return members


@kernel
def _take_over(clusters: Clusters, trial: Trial) -> None:
    """Make the trial's clusters, INOUT, those that count; the one given up, its last member, gets the new half."""
    here, names = trial.here, trial.here.members
    labels = np.empty(here.rows.size, np.uint8)
    assign(here.points.positions, trial.centroids, labels, np.empty(labels.size, np.float32))
    totals = add_up(here.points.sums, labels, names.size)
    for place in range(names.size):
        clusters.first[names[place]] = -1
        for c in range(4):
            clusters.totals[names[place], c] = totals[place, c]
        for c in range(3):
            clusters.centroids[names[place], c] = trial.centroids[place, c]
    for i in range(labels.size):
        j = names[labels[i]]
        clusters.following[here.rows[i]] = clusters.first[j]
        clusters.first[j] = here.rows[i]


@kernel
def _shake(points: Points, centroids: NDArray[np.float32], draws: NDArray[np.float64], pinned: int) -> None:
    """Move `centroids` (k, 3), INOUT, to means and away from them, less in each round: `draws` (rounds, k, 3)."""
    n, k = len(points.sums), len(centroids)
    labels, squared = np.empty(n, np.uint8), np.empty(n, np.float32)
    assign(points.positions, centroids, labels, squared)
    totals = add_up(points.sums, labels, k)
    reach, farthest = _reach(points, labels, squared, totals)
    nearby = find_nearby(points.positions, centroids, farthest)
    for time in range(len(draws)):
        left = 1 - time / len(draws)
        for j in range(pinned, k):
            if totals[j, 3] > 0:
                for c in range(3):
                    away = reach[j] * left * (2 * draws[time, j, c] - 1)
                    centroids[j, c] = totals[j, c] / totals[j, 3] + away
        assign_nearby(points.positions, centroids, nearby, labels, squared)
        totals = add_up(points.sums, labels, k)


@kernel
def _reach(
    points: Points, labels: NDArray[np.uint8], squared: NDArray[np.float32], totals: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float]:
    """Return how far each of k centroids is shaken at first, (k,), and the mean over pixels of that."""
    reach = np.zeros(len(totals))
    for i in range(labels.size):
        reach[labels[i]] += points.sums[i, 3] * np.float64(squared[i])
    total, weight = 0.0, 0.0
    for j in range(len(totals)):
        reach[j] = _REACH * math.sqrt(reach[j] / max(totals[j, 3], 1))
        total += reach[j] * totals[j, 3]
        weight += totals[j, 3]
    return reach, total / weight
