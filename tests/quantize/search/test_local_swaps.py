"""The search for many centroids: never worse than it began, close to the best, the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from flatpipe.quantize.search.kmeans import assign, lloyd
from flatpipe.quantize.search.local_swaps import improve_many
from flatpipe.quantize.search.multilevel import multilevel
from flatpipe.quantize.search.nearby import assign_nearby, find_nearby
from flatpipe.quantize.search.seeding import kmeans_plusplus
from tests.quantize.builders import distortion, noise, painting, photograph, pyramid_of, weighted_pyramid
from tests.quantize.search.test_solvers import least_possible, left_by


def improved(pyramid, start, shakes=2, seed=0):
    """The centroids that `improve_many` reaches from `start`, and the distortion that it says they leave."""
    centroids = start.copy()
    draws = np.random.default_rng(seed).random((shakes, 10, len(start), 3))
    between = improve_many(pyramid.colors, centroids, draws, 30, 0.01, pyramid.energy, 0)
    return centroids, pyramid.energy - between


@pytest.mark.parametrize("space", ["rgb", "oklab"])
@pytest.mark.parametrize("k", [2, 17, 60, 256])
def test_never_worse_than_it_began(k, space):
    """Swaps and shakes end no worse than Lloyd's iteration, from which they began, and say what they leave."""
    pyramid = pyramid_of(painting(3), space)
    start = kmeans_plusplus(pyramid.colors, k, np.random.default_rng(k), trials=1)
    without = pyramid.energy - lloyd(pyramid.colors, start, 200, 0.01, 0)
    found, left = improved(pyramid, start)
    assert left <= without * (1 + 1e-9)
    assert left <= left_by(pyramid, found) * (1 + 1e-6)
    assert left == pytest.approx(left_by(pyramid, found), rel=2e-3)


def test_no_shake_is_in_vain():
    """Each further shake leaves no more distortion, whatever its draws: the best that was found is kept."""
    pyramid = pyramid_of(painting(6))
    start = kmeans_plusplus(pyramid.colors, 20, np.random.default_rng(0), trials=1)
    for seed in range(8):
        left = [improved(pyramid, start, shakes, seed)[1] for shakes in (0, 1, 2)]
        assert left[1] <= left[0]
    assert left[2] < left[0]


def test_small_tables_are_solved_to_the_optimum():
    """On tables small enough to try every clustering, one start finds the optimum four times of five."""
    ratios = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        colors = np.unique(random.integers(0, 256, (random.integers(5, 8), 3)), axis=0)
        pyramid = weighted_pyramid(colors, random.integers(1, 100, len(colors)))
        start = kmeans_plusplus(pyramid.colors, 3, random, trials=1)
        least = least_possible(pyramid.colors.positions.T.astype(float), pyramid.colors.sums[:, 3], 3)
        ratios.append(improved(pyramid, start, shakes=4)[1] / least)
    assert min(ratios) > 1 - 1e-9
    assert np.mean(np.array(ratios) < 1.001) >= 0.8


@pytest.mark.parametrize("k", [24, 100, 256])
def test_a_palette_of_many_colors_is_settled(k):
    """A hundred rounds of Lloyd's iteration on all colours, from our centroids, take off less than 0.02 %."""
    pyramid = pyramid_of(photograph("kodim03", side=256))
    ours = multilevel(pyramid, k, 0)
    settled = ours.astype(np.float32)
    left = pyramid.energy - lloyd(pyramid.colors, settled, 100, 0.0, 0)
    assert left_by(pyramid, ours) <= left * 1.0002


@pytest.mark.parametrize("k", [40, 200])
def test_many_restarts_find_nothing_better(k):
    """The best of eight starts of greedy k-means++ and Lloyd's iteration, on all colours, leaves more."""
    pyramid = pyramid_of(photograph("kodim05", side=160))
    least = np.inf
    for seed in range(8):
        start = kmeans_plusplus(pyramid.colors, k, np.random.default_rng(seed))
        least = min(least, pyramid.energy - lloyd(pyramid.colors, start, 100, 0.01, 0))
    assert left_by(pyramid, multilevel(pyramid, k, 0)) < least


def test_the_same_every_time():
    """The same colours, k and seed give the same centroids, bit for bit; another seed gives others."""
    first, again = (multilevel(pyramid_of(noise(5, 60, 80)), 70, 3) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, multilevel(pyramid_of(noise(5, 60, 80)), 70, 4))


def test_colors_of_one_place_are_no_trap():
    """Where there are hardly more colours than centroids, the search ends, and no distortion is left but theirs."""
    colors = np.array([[i, 0, 0] for i in range(40)])
    pyramid = weighted_pyramid(colors, np.ones(40, int))
    assert distortion(colors, np.ones(40), multilevel(pyramid, 39, 0)) == pytest.approx(0.5)


@pytest.mark.parametrize("slack", [0.0, 30.0])
@pytest.mark.parametrize("k", [8, 33, 256])
def test_centroids_near_by_are_enough(k, slack):
    """Looking only at what is near finds the nearest centroid, also after all have moved by the slack."""
    random = np.random.default_rng(k)
    points = pyramid_of(painting(4)).colors
    centroids = kmeans_plusplus(points, k, random)
    nearby = find_nearby(points.positions, centroids, slack)
    away = random.normal(size=centroids.shape)
    moved = (centroids + 0.99 * slack * away / np.linalg.norm(away, axis=1, keepdims=True)).astype(np.float32)
    n = len(points.sums)
    expected, found, squared = np.empty(n, np.uint8), np.empty(n, np.uint8), np.empty(n, np.float32)
    assign(points.positions, moved, expected, squared)
    assign_nearby(points.positions, moved, nearby, found, squared)
    assert np.array_equal(found, expected)
