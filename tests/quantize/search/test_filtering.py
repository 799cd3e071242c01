"""Filtered Lloyd: watching the borders alone gives what looking at every colour gives."""

from __future__ import annotations

import numpy as np
import pytest

from flatpipe.quantize.recolor import cluster_colors
from flatpipe.quantize.search.filtering import filtered_lloyd
from flatpipe.quantize.search.kmeans import assign, lloyd
from flatpipe.quantize.search.seeding import kmeans_plusplus
from tests.quantize.builders import distortion, noise, painting, photograph, pyramid_of, weighted_pyramid

PICTURES = {"painting": painting(11), "noise": noise(12), "photograph": photograph(side=128)}


@pytest.mark.parametrize("space", ["rgb", "oklab"])
@pytest.mark.parametrize("k", [1, 2, 7, 40, 256])
@pytest.mark.parametrize("name", PICTURES)
def test_labels_are_those_of_brute_force(name, k, space):
    """Cells moved as a whole end where each of their colours would: labels equal those of comparing every colour."""
    pyramid = pyramid_of(PICTURES[name], space)
    palette = np.rint(kmeans_plusplus(pyramid.colors, k, np.random.default_rng(k)))
    labels, totals = filtered_lloyd(
        pyramid.colors, pyramid.cells, palette.copy(), 0, 0.0, 0.5 * pyramid.level_size, True, 0
    )
    expected = np.empty(pyramid.n, np.uint8)
    assign(pyramid.colors.positions, palette, expected, np.empty(pyramid.n, np.float32))
    assert np.array_equal(labels, expected)
    for c in range(4):
        assert np.array_equal(totals[:, c], np.bincount(labels, pyramid.colors.sums[:, c], minlength=k))


@pytest.mark.parametrize("slack", [0.1, 1.0, 20.0, 500.0])
def test_watching_borders_reaches_what_lloyd_reaches(slack):
    """Whatever is watched, the distortion is that of Lloyd's iteration on all colours, within the tolerance."""
    pyramid = pyramid_of(PICTURES["photograph"])
    start = kmeans_plusplus(pyramid.sketch(300), 9, np.random.default_rng(3))
    plain, fast = start.copy(), start.copy()
    lloyd(pyramid.colors, plain, 500, 0.01, 0)
    filtered_lloyd(pyramid.colors, pyramid.cells, fast, 500, 0.01, slack, False, 0)
    colors, counts = pyramid.colors.positions.T, pyramid.colors.sums[:, 3]
    assert distortion(colors, counts, fast) == pytest.approx(distortion(colors, counts, plain), rel=2e-3)


@pytest.mark.parametrize("k", [1, 2, 8, 60, 256])
@pytest.mark.parametrize("name", PICTURES)
def test_palette_ends_in_whole_numbers(name, k):
    """In the end every colour has its nearest palette colour, and every palette colour is its rounded mean."""
    pyramid = pyramid_of(PICTURES[name])
    start = kmeans_plusplus(pyramid.sketch(500), k, np.random.default_rng(1))
    labels, totals = cluster_colors(pyramid, start.astype(float), "rgb")
    palette = np.rint(totals[:, :3] / totals[:, 3:])
    gaps = ((pyramid.colors.positions.T[:, None] - palette[None]) ** 2).sum(axis=2)
    assert np.array_equal(gaps[np.arange(pyramid.n), labels], gaps.min(axis=1))
    assert len(np.unique(palette, axis=0)) == k


def test_rounding_on_the_way_never_adds_distortion():
    """Moving to rounded means only ever takes distortion away, compared with rounding the centroids."""
    pyramid = pyramid_of(PICTURES["painting"])
    colors, counts = pyramid.colors.positions.T, pyramid.colors.sums[:, 3]
    for seed in range(5):
        rounded = np.rint(kmeans_plusplus(pyramid.colors, 12, np.random.default_rng(seed)))
        palette = rounded.copy()
        filtered_lloyd(pyramid.colors, pyramid.cells, palette, 100, 0.0, 1.5, True, 0)
        assert distortion(colors, counts, palette) <= distortion(colors, counts, rounded)


def test_an_empty_centroid_takes_the_worst_color():
    """The colour that a lost centroid goes to is the one with most distortion, count x squared distance."""
    colors = [[10, 10, 10], [12, 10, 10], [60, 60, 60], [200, 200, 200], [203, 200, 200]]
    pyramid = weighted_pyramid(colors, [50, 50, 3, 40, 40])
    centroids = np.array([[11, 10, 10], [201, 200, 200], [900, 900, 900]], float)
    labels, _ = cluster_colors(pyramid, centroids, "rgb")
    lonely = np.flatnonzero(np.bincount(labels) == 1)
    assert pyramid.colors.positions[:, labels == lonely[0]].T.tolist() == [[60, 60, 60]]


def test_empty_centroids_take_the_worst_colors():
    """Centroids that no colour is nearest to are put to use: there are k clusters at the end."""
    pyramid = pyramid_of(PICTURES["painting"])
    far_away = np.full((9, 3), 1000.0) + np.arange(9)[:, None]
    far_away[0] = pyramid.colors.positions.T.mean(axis=0)
    _, totals = cluster_colors(pyramid, far_away, "rgb")
    assert (totals[:, 3] > 0).all()
