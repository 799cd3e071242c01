"""Three solvers, one objective: scikit-learn and brute force judge the default one."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from flatpipe.quantize.recolor import cluster_colors
from flatpipe.quantize.search.multilevel import effort_for, multilevel, quick_centroids
from flatpipe.quantize.search.solvers import SOLVERS
from tests.quantize.builders import distortion, painting, photograph, pyramid_of, weighted_pyramid


def solved(pyramid, k, solver="multilevel", seed=0):
    """The means of the clusters that the solver's centroids lead to on all colours, before rounding; (k, 3)."""
    totals = cluster_colors(pyramid, SOLVERS[solver](pyramid, k, seed), "rgb").totals
    return totals[:, :3] / totals[:, 3:]


def left_by(pyramid, centroids):
    return distortion(pyramid.colors.positions.T, pyramid.colors.sums[:, 3], centroids)


def ten_starts(pyramid, k):
    """The distortion that the best of ten starts of scikit-learn's KMeans leaves."""
    with threadpool_limits(1):
        model = KMeans(k, n_init=10, random_state=0)
        return model.fit(pyramid.colors.positions.T, sample_weight=pyramid.colors.sums[:, 3]).inertia_


def least_possible(colors, counts, k):
    """The optimum, by trying every way to put the colours into at most k clusters."""
    labels = np.array(list(itertools.product(range(k), repeat=len(colors))))
    left = float(counts @ (colors**2).sum(axis=1))
    explained = np.zeros(len(labels))
    for cluster in range(k):
        weights = (labels == cluster) * counts
        explained += ((weights @ colors) ** 2).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    return left - explained.max()


def test_small_tables_are_solved_to_the_optimum():
    """On tables small enough to try every clustering, the least distortion possible is found, with rare exceptions."""
    ratios = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        colors = np.unique(random.integers(0, 256, (random.integers(4, 8), 3)), axis=0)
        pyramid = weighted_pyramid(colors, random.integers(1, 100, len(colors)))
        k = int(random.integers(2, 4))
        least = least_possible(pyramid.colors.positions.T.astype(float), pyramid.colors.sums[:, 3], k)
        ratios.append(left_by(pyramid, solved(pyramid, k)) / least)
    assert np.mean(np.array(ratios) < 1.001) >= 0.95
    assert max(ratios) < 1.2


@pytest.mark.parametrize("seed", range(12))
def test_scikit_learn_finds_nothing_better(seed):
    """On weighted tables of random size, ten starts of scikit-learn's KMeans leave no less distortion."""
    random = np.random.default_rng(seed)
    n, k = int(random.integers(50, 600)), int(random.integers(2, 16))
    colors = np.unique(np.clip(random.normal(128, random.uniform(10, 80), (n, 3)), 0, 255).astype(np.uint8), axis=0)
    counts = random.integers(1, 500, len(colors))
    pyramid = weighted_pyramid(colors, counts)
    assert left_by(pyramid, solved(pyramid, k)) <= ten_starts(pyramid, k) * 1.003


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("k", [1, 3, 11])
def test_every_solver_ends_at_an_optimum(solver, k):
    """Whatever the solver, another round of the textbook's iteration improves the result by hardly anything."""
    pyramid = pyramid_of(painting(20))
    centroids = SOLVERS[solver](pyramid, k, 0)
    colors, counts = pyramid.colors.positions.T.astype(float), pyramid.colors.sums[:, 3]
    labels = ((colors[:, None] - centroids[None]) ** 2).sum(axis=2).argmin(axis=1)
    means = [np.average(colors[labels == row], axis=0, weights=counts[labels == row]) for row in range(k)]
    assert centroids.shape == (k, 3)
    assert left_by(pyramid, means) >= left_by(pyramid, centroids) * 0.999


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_weighs_by_count(solver):
    """One centroid stands at the weighted mean of all colours."""
    pyramid = weighted_pyramid([[0, 0, 0], [10, 0, 0], [250, 250, 250]], [1000, 3000, 1])
    (mean,) = SOLVERS[solver](pyramid, 1, 0)
    assert mean == pytest.approx(np.array([30_250, 250, 250]) / 4001, rel=1e-5)


@pytest.mark.parametrize("k", [2, 6, 15])
def test_default_is_no_worse_than_the_textbook(k):
    """The search leaves no more distortion than ten runs of plain Lloyd iteration from random colours."""
    pyramid = pyramid_of(painting(21))
    textbook = min(left_by(pyramid, SOLVERS["textbook"](pyramid, k, seed)) for seed in range(10))
    assert left_by(pyramid, solved(pyramid, k)) <= textbook * 1.002


def test_default_is_no_worse_than_ten_starts_on_a_photograph():
    """On a photograph the default solver leaves no more distortion than scikit-learn with ten starts, within 0.2 %."""
    pyramid = pyramid_of(photograph("kodim05", side=96))
    for k in (4, 12):
        assert left_by(pyramid, solved(pyramid, k)) <= ten_starts(pyramid, k) * 1.002


def test_weight_n_is_n_copies():
    """The table of an image tiled four times, four times the weights, has the same clusters."""
    pixels = painting(22)
    tiled = np.tile(pixels, (2, 2, 1))
    for k in (3, 10):
        once, four_times = pyramid_of(pixels), pyramid_of(tiled)
        scaled = weighted_pyramid(once.colors.positions.T, once.colors.sums[:, 3] * 4, once.n_pixels)
        assert np.array_equal(four_times.colors.sums, scaled.colors.sums)
        assert np.array_equal(multilevel(scaled, k, 0), multilevel(once, k, 0))


@pytest.mark.parametrize("solver", SOLVERS)
def test_randomness_comes_from_seed_and_k(solver):
    """The same seed gives the same centroids, bit for bit, whatever numpy's global generator has done."""
    pyramid = pyramid_of(painting(23))
    np.random.seed(1)
    first = SOLVERS[solver](pyramid, 7, 42)
    np.random.seed(2)
    assert np.array_equal(SOLVERS[solver](pyramid, 7, 42), first)


@pytest.mark.parametrize("k", [255, 256])
def test_quick_palette_is_close_to_the_full_one(k):
    """The sketch's palette, for dithering, leaves at most a third more distortion than the full search."""
    pyramid = pyramid_of(photograph("kodim03", side=200))
    full = left_by(pyramid, solved(pyramid, k))
    assert full <= left_by(pyramid, quick_centroids(pyramid, k)) <= full * 1.33


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_color_less_than_there_are(solver):
    """With k = n - 1 one pair of colours shares a cluster, and every cluster has a colour."""
    colors = np.array([[i * 7 % 256, i * 31 % 256, i * 3] for i in range(40)])
    pyramid = weighted_pyramid(colors, np.arange(1, 41))
    labels, totals = cluster_colors(pyramid, SOLVERS[solver](pyramid, 39, 0), "rgb")
    assert len(set(labels.tolist())) == 39
    assert (totals[:, 3] > 0).all()


def test_effort_follows_the_size():
    """A larger image is searched on more points, within limits, and always on more points than it has clusters."""
    sizes = [effort_for(n_pixels, 20_000, 8).coarse for n_pixels in (1, 10_000, 393_216, 12_000_000, 200_000_000)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 256
    assert effort_for(1, 10, 8).starts > effort_for(1, 10_000, 8).starts
    assert sizes[-1] == 1500
    assert effort_for(1, 20_000, 8).coarse == 256


def test_scikit_learn_is_imported_when_asked_for():
    """Importing the core, and flattening with the default solver, leaves scikit-learn unloaded."""
    code = "import sys, flatpipe.quantize.flatten; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
