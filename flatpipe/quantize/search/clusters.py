"""Clusters with lists of their points, and estimates of what giving one up costs and dividing one gains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import Points
from flatpipe.quantize.search.halving import halve
from flatpipe.quantize.search.kmeans import FLOAT_MAX, add_up, assign, assign_two

ESTIMATED, TRIED, IN_VAIN = 0, 1, 2
# ^ how well cost or gain of a cluster is known; in vain: a swap with it was tried and lost


class Clusters(NamedTuple):
    """The k clusters of n points."""

    centroids: NDArray[np.float32]
    # ^ (k, 3)
    totals: NDArray[np.int64]
    # ^ (k, 4) exact sums and counts
    first: NDArray[np.int32]
    # ^ (k,) first point of each, -1 for none
    following: NDArray[np.int32]
    # ^ (n,) next point of the same cluster, -1 for none
    cost: NDArray[np.float64]
    # ^ (k,) distortion that is added when the cluster is given up
    cost_known: NDArray[np.uint8]
    gain: NDArray[np.float64]
    # ^ (k,) distortion that is taken off when it is divided
    gain_known: NDArray[np.uint8]
    halves: NDArray[np.float32]
    # ^ (k, 2, 3) means of the parts that it would be divided into
    pinned: int
    # ^ the first so many keep their centroids


class Neighborhood(NamedTuple):
    """Some clusters with all of their points."""

    members: NDArray[np.int64]
    # ^ (m,) their numbers
    rows: NDArray[np.int32]
    # ^ (p,) the points' numbers
    places: NDArray[np.uint8]
    # ^ (p,) the place of each point's cluster among the members
    points: Points


@kernel
def build_clusters(points: Points, centroids: NDArray[np.float32], pinned: int) -> Clusters:
    """Return the clusters of the points around `centroids` (k, 3), which become theirs, with all estimates."""
    n, k = len(points.sums), len(centroids)
    labels = np.empty(n, np.uint8)
    assign(points.positions, centroids, labels, np.empty(n, np.float32))
    first, following, everyone = np.empty(k, np.int32), np.empty(n, np.int32), np.empty(k, np.int64)
    for j in range(k):
        first[j], everyone[j] = -1, j
    for i in range(n - 1, -1, -1):
        following[i] = first[labels[i]]
        first[labels[i]] = i
    cost, cost_known, gain, gain_known = np.empty(k), np.empty(k, np.uint8), np.empty(k), np.empty(k, np.uint8)
    halves = np.empty((k, 2, 3), np.float32)
    totals = add_up(points.sums, labels, k)
    clusters = Clusters(centroids, totals, first, following, cost, cost_known, gain, gain_known, halves, pinned)
    estimate(clusters, gather(points, clusters, everyone))
    return clusters


@kernel
def nearest_clusters(centroids: NDArray[np.float32], center: int, count: int) -> NDArray[np.int64]:
    """Return the numbers of the `count` clusters nearest to cluster `center`, itself the first; of all if k is less."""
    count = min(count, len(centroids))
    nearest, squared = np.empty(count, np.int64), np.empty(count, np.float32)
    squared[:] = FLOAT_MAX
    for j in range(len(centroids)):
        dx = centroids[j, 0] - centroids[center, 0]
        dy = centroids[j, 1] - centroids[center, 1]
        dz = centroids[j, 2] - centroids[center, 2]
        distance = dx * dx + dy * dy + dz * dz if j != center else np.float32(-1)
        if distance < squared[count - 1]:
            place = count - 1
            while place > 0 and squared[place - 1] > distance:
                nearest[place], squared[place] = nearest[place - 1], squared[place - 1]
                place -= 1
            nearest[place], squared[place] = j, distance
    return nearest


@kernel
def gather(points: Points, clusters: Clusters, members: NDArray[np.int64]) -> Neighborhood:
    """Return the clusters `members` (m,) with copies of all their points, cluster by cluster."""
    size = 0
    for j in members:
        i = clusters.first[j]
        while i >= 0:
            size += 1
            i = clusters.following[i]
    rows, places = np.empty(size, np.int32), np.empty(size, np.uint8)
    positions, sums = np.empty((3, size), np.float32), np.empty((size, 4), np.int64)
    size = 0
    for place in range(members.size):
        i = clusters.first[members[place]]
        while i >= 0:
            rows[size], places[size] = i, place
            for c in range(3):
                positions[c, size] = points.positions[c, i]
            for c in range(4):
                sums[size, c] = points.sums[i, c]
            size += 1
            i = clusters.following[i]
    return Neighborhood(members, rows, places, Points(positions, sums))


@kernel
def estimate(clusters: Clusters, here: Neighborhood) -> None:
    """Set cost, gain and halves of the clusters that are here, from their points."""
    n = here.rows.size
    labels, squared, second = np.empty(n, np.uint8), np.empty(n, np.float32), np.empty(n, np.float32)
    assign_two(here.points.positions, clusters.centroids, labels, squared, second)
    for j in here.members:
        clusters.cost[j] = 0.0
        clusters.cost_known[j] = clusters.gain_known[j] = ESTIMATED
    for i in range(n):
        clusters.cost[labels[i]] += here.points.sums[i, 3] * np.float64(second[i] - squared[i])
        # ^ a point at the border may be nearer to a cluster that is not here: an estimate for that one, too
    halve(here.points, here.places, here.members, clusters.centroids, clusters.gain, clusters.halves, clusters.pinned)
