"""The kernels of Lloyd's iteration, against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from flatpipe.quantize.search.kmeans import (
    add_up,
    assign,
    assign_two,
    gained,
    lloyd,
    move_points,
    move_to_means,
)
from flatpipe.quantize.search.seeding import NO_CENTROIDS, kmeans_plusplus, pick
from flatpipe.quantize.search.swaps import improve
from tests.quantize.builders import distortion, noise, painting, pyramid_of


def brute_force(positions, centroids):
    return ((positions.T[:, None].astype(float) - centroids[None]) ** 2).sum(axis=2)


@pytest.mark.parametrize("k", [1, 2, 15, 256])
@pytest.mark.parametrize("n", [1, 255, 1025])
def test_assign_finds_the_nearest_centroid(n, k):
    """Labels and squared distances are those of brute force, the lowest of equals; so is the second distance."""
    random = np.random.default_rng(n + k)
    positions = random.integers(0, 12, (3, n)).astype(np.float32)
    centroids = random.integers(0, 12, (k, 3)).astype(np.float32)
    labels, squared, second = np.empty(n, np.uint8), np.empty(n, np.float32), np.empty(n, np.float32)
    expected = brute_force(positions, centroids)
    assign(positions, centroids, labels, squared)
    assert np.array_equal(labels, expected.argmin(axis=1))
    assert np.array_equal(squared, expected.min(axis=1))
    again = np.empty(n, np.uint8)
    assign_two(positions, centroids, again, squared, second)
    assert np.array_equal(again, labels)
    if k > 1:
        assert np.array_equal(second, np.sort(expected, axis=1)[:, 1])


@pytest.mark.parametrize("n", [1, 4, 503])
def test_totals_are_those_of_numpy(n):
    """Sums and counts are added up exactly by label, whatever the number of points."""
    random = np.random.default_rng(n)
    sums, labels = random.integers(0, 10**12, (n, 4)), random.integers(0, 6, n).astype(np.uint8)
    expected = np.zeros((7, 4), np.int64)
    np.add.at(expected, labels, sums)
    assert np.array_equal(add_up(sums, labels, 7), expected)


@pytest.mark.parametrize("trials", [1, 2, 3])
def test_first_centroids_are_those_of_the_paper(trials):
    """Each is the best of the drawn candidates, the first of equals; these are drawn by count x squared distance."""
    points = pyramid_of(painting(9, 20, 30)).colors
    positions, counts = points.positions.T.astype(float), points.sums[:, 3]
    draws = np.random.default_rng(trials).random((8, trials))
    nearest, expected = np.full(len(counts), np.inf), []
    for j, row in enumerate(draws):
        running = np.cumsum(counts * nearest if j else counts)
        candidates = np.searchsorted(running, (row if j else row[:1]) * running[-1], side="right")
        left = [np.minimum(nearest, ((positions - positions[i]) ** 2).sum(axis=1)) for i in candidates]
        best = int(np.argmin([counts @ squared for squared in left]))
        nearest, expected = left[best], [*expected, positions[candidates[best]]]
    assert np.array_equal(pick(points, draws, NO_CENTROIDS), expected)


def test_moving_points_equals_adding_up_anew():
    """Totals kept up to date by the changed labels alone are exactly those of a fresh sum."""
    random = np.random.default_rng(0)
    sums = random.integers(0, 10**12, (500, 4))
    labels, fresh = random.integers(0, 7, (2, 500)).astype(np.uint8)
    totals = add_up(sums, labels, 7)
    move_points(sums, labels, fresh, totals)
    assert np.array_equal(labels, fresh)
    assert np.array_equal(totals, add_up(sums, fresh, 7))


def test_means_by_hand():
    """Four points with weights: each centroid goes to the weighted mean, an empty one stays, the shift is per pixel."""
    totals = np.array([[10, 20, 30, 10], [0, 0, 0, 0], [9, 9, 9, 2]])
    centroids = np.array([[0, 2, 3], [7, 7, 7], [4.5, 4.5, 4.5]], np.float32)
    shift = move_to_means(totals, centroids, False, 0)
    assert centroids.tolist() == [[1, 2, 3], [7, 7, 7], [4.5, 4.5, 4.5]]
    assert shift == 10 / 12
    move_to_means(totals, centroids, True, 0)
    assert centroids.tolist() == [[1, 2, 3], [7, 7, 7], [4, 4, 4]]


@pytest.mark.parametrize("seed", range(5))
def test_distortion_never_rises(seed):
    """With each further round the clusters leave no more distortion, and their means no more than the centroids did."""
    pyramid = pyramid_of(painting(seed))
    points = pyramid.colors
    start = kmeans_plusplus(points, 9, np.random.default_rng(seed))
    counts = points.sums[:, 3]
    last = np.inf
    for rounds in range(12):
        centroids = start.copy()
        claimed = pyramid.energy - lloyd(points, centroids, rounds, 0.0, 0)
        found = distortion(points.positions.T, counts, centroids)
        assert claimed <= found * (1 + 1e-6)
        assert claimed <= last * (1 + 1e-12)
        last = claimed


def test_starting_at_the_solution_stays_there():
    """From where it has converged, the iteration does not move at all."""
    points = pyramid_of(painting(7)).colors
    centroids = kmeans_plusplus(points, 6, np.random.default_rng(0))
    between = lloyd(points, centroids, 1000, 0.0, 0)
    again = centroids.copy()
    assert lloyd(points, again, 1000, 0.0, 0) == between
    assert np.array_equal(again, centroids)


def test_kmeans_plusplus_picks_distinct_points_reproducibly():
    """First centroids are points of the table, all different, and depend on the random numbers alone."""
    points = pyramid_of(noise(2)).colors
    picked = kmeans_plusplus(points, 40, np.random.default_rng(5))
    assert np.array_equal(picked, kmeans_plusplus(points, 40, np.random.default_rng(5)))
    assert len(np.unique(picked, axis=0)) == 40
    assert {tuple(row) for row in picked.tolist()} <= {tuple(row) for row in points.positions.T.tolist()}


def test_more_trials_seed_better():
    """The best of ten drawn candidates leaves less distortion than the first drawn, on average over seeds."""
    points = pyramid_of(painting(8)).colors

    def left_by(trials):
        picked = [kmeans_plusplus(points, 8, np.random.default_rng(seed), trials) for seed in range(20)]
        return np.mean([distortion(points.positions.T, points.sums[:, 3], centroids) for centroids in picked])

    assert left_by(10) < 0.9 * left_by(1)


def test_swaps_never_lose():
    """A search with swaps ends no worse than the iteration alone from any of four starts, and 3 % better from one."""
    left = []
    for seed in range(4):
        pyramid = pyramid_of(painting(seed))
        start = kmeans_plusplus(pyramid.colors, 10, np.random.default_rng(seed), trials=1)
        alone, searched = start.copy(), start.copy()
        without = pyramid.energy - lloyd(pyramid.colors, alone, 100, 0.04, 0)
        left.append((pyramid.energy - improve(pyramid.colors, searched, 10, 0.04, pyramid.energy, 0)) / without)
    assert max(left) <= 1
    assert min(left) < 0.97


def test_swaps_leave_a_bad_optimum():
    """Two centroids in one far group and one for two others: Lloyd's iteration is stuck, one swap solves it."""
    groups = np.repeat([[0, 0, 0], [60, 0, 0], [250, 250, 250]], 8, axis=0)
    colors = groups + np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)] * 3)
    pyramid = pyramid_of(colors[None].astype(np.uint8))
    stuck = np.array([[30, 0.5, 0.5], [250, 250.5, 250.5], [251, 250.5, 250.5]], np.float32)
    alone, searched = stuck.copy(), stuck.copy()
    assert pyramid.energy - lloyd(pyramid.colors, alone, 100, 0.0, 0) > 10_000
    assert pyramid.energy - improve(pyramid.colors, searched, 10, 0.0, pyramid.energy, 0) == pytest.approx(24 * 0.75)


def test_between_is_energy_minus_distortion():
    """The sum of squares between clusters and the distortion within them add up to the energy."""
    pyramid = pyramid_of(painting(1))
    labels = np.zeros(pyramid.n, np.uint8)
    mean = pyramid.colors.sums[:, :3].sum(axis=0) / pyramid.colors.sums[:, 3].sum()
    left = distortion(pyramid.colors.positions.T, pyramid.colors.sums[:, 3], mean[None])
    totals = add_up(pyramid.colors.sums, labels, 1)
    assert pyramid.energy - gained(totals, np.zeros((1, 3), np.float32), 0) == pytest.approx(left, rel=1e-9)
