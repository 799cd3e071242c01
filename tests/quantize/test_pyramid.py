"""Coarse tables carry the exact sums of the colours they join."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.quantize.builders import noise, painting, photograph, pyramid_of


def squared_length(points):
    return (points.sums[:, :3].astype(float) ** 2).sum(axis=1) / points.sums[:, 3]


@pytest.mark.parametrize("space", ["rgb", "oklab"])
@pytest.mark.parametrize("size", [1, 30, 300, 10**6])
def test_sketch_has_the_sums_of_all_colors(space, size):
    """However coarse a sketch, its sums add up to those of the image, and its positions are its means."""
    pyramid = pyramid_of(painting(2), space)
    sketch = pyramid.sketch(size)
    assert np.array_equal(sketch.sums.sum(axis=0), pyramid.colors.sums.sum(axis=0))
    assert np.allclose(sketch.positions, (sketch.sums[:, :3] / sketch.sums[:, 3:]).T, rtol=1e-6, atol=1e-3)
    assert min(size, pyramid.n) <= len(sketch.sums) <= min(size + 63, pyramid.n) or size > pyramid.n


def test_finer_sketches_explain_more():
    """Splitting more cells leaves less distortion inside them, down to none for the colours themselves."""
    pyramid = pyramid_of(painting(3))
    inside = [pyramid.energy - squared_length(pyramid.sketch(size)).sum() for size in (1, 10, 100, 1000, 10**6)]
    assert all(coarse > fine for coarse, fine in pairwise(inside))
    assert abs(inside[-1]) < 1e-6 * inside[0]


def test_sketch_beats_equal_cells():
    """Splitting where the distortion is leaves less of it than as many cells of one size do."""
    pyramid = pyramid_of(photograph(side=200))
    cells = pyramid.cells.points
    assert squared_length(pyramid.sketch(len(cells.sums))).sum() > squared_length(cells).sum()


def test_cells_enclose_their_colors():
    """Every colour lies within its cell's radius of the cell's mean, and the cells cover all rows once."""
    pyramid = pyramid_of(noise(5))
    starts, points, radius = pyramid.cells
    assert starts[0] == 0
    assert starts[-1] == pyramid.n
    for j in range(len(radius)):
        rows = slice(starts[j], starts[j + 1])
        gaps = pyramid.colors.positions[:, rows] - points.positions[:, j, None]
        assert np.sqrt((gaps.astype(float) ** 2).sum(axis=0)).max() <= radius[j] * (1 + 1e-5) + 1e-5
        assert np.array_equal(points.sums[j], pyramid.colors.sums[rows].sum(axis=0))


def test_one_color_is_one_point():
    """An image of one colour has one cell, one point, and nothing inside."""
    pyramid = pyramid_of(np.full((5, 7, 3), 255, np.uint8))
    assert pyramid.n == 1
    assert pyramid.sketch(1).sums.tolist() == [[35 * 255] * 3 + [35]]
    assert pyramid.energy == 35 * 3 * 255**2


@pytest.mark.parametrize("pixels", [noise(5), painting(3), photograph(side=200), np.full((2, 2, 3), 9, np.uint8)])
def test_the_octree_joins_cells_as_numpy_does(pixels):
    """Bit by bit the distortion, children and order that sums over runs of equal places give, depth by depth."""
    pyramid = pyramid_of(pixels)
    inside, n_children, children = [], [], [np.arange(pyramid.n)]
    sums, squares, places = pyramid.cells.points.sums, pyramid.squares, pyramid.places
    here, n_below = pyramid.cells.starts[:-1], np.diff(pyramid.cells.starts)
    while True:
        inside.append(squares - (sums[:, :3].astype(np.float64) ** 2).sum(axis=1) / sums[:, 3])
        n_children.append(n_below)
        if len(inside) == 7:
            break
        children.append(here)
        places = places >> 3
        firsts = np.flatnonzero(np.diff(places, prepend=-1))
        n_below, here, places = np.diff(firsts, append=places.size), here[firsts], places[firsts]
        sums, squares = np.add.reduceat(sums, firsts), np.add.reduceat(squares, firsts)
    found = pyramid._octree
    assert np.array_equal(found.inside, np.concatenate(inside))
    assert np.array_equal(found.n_children, np.concatenate(n_children))
    assert np.array_equal(found.children, np.concatenate(children))
    assert np.array_equal(found.falling, -np.sort(-found.inside[found.n_children > 1]))
