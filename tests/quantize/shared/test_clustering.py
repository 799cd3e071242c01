"""The colours of many images, ready to be clustered: in proportion, in bounds, and in cells where they are millions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.quantize.choosing.find_palette import find_palette
from flatpipe.quantize.color_space import to_space
from flatpipe.quantize.color_table import ColorTable, index_colors
from flatpipe.quantize.options import FixedColor, FlattenOptions
from flatpipe.quantize.pyramid import build_pyramid
from flatpipe.quantize.shared import clustering
from flatpipe.quantize.shared.clustering import MOST_WEIGHT, clusterable, shared_pyramid
from flatpipe.quantize.shared.color_sums import MOST, add_tables
from tests.quantize.builders import distortion, noise, painting, photograph


def table_of(counts: list[int]) -> ColorTable:
    """A table of greys with these counts."""
    levels = np.arange(len(counts), dtype=np.uint8)
    return ColorTable(np.stack([levels] * 3, axis=1), np.array(counts, np.int64))


@given(st.lists(st.integers(1, 1000), min_size=1), st.integers(1, 10**9))
def test_counts_are_divided_by_what_they_have_in_common(counts, factor):
    """A table with each count times as large is clustered as the same one."""
    once, multiplied = (clusterable(table_of(values)) for values in (counts, [count * factor for count in counts]))
    assert multiplied.counts.tolist() == once.counts.tolist()
    assert np.gcd.reduce(once.counts) == 1


@given(st.lists(st.integers(0, 60).map(lambda power: 1 << power), min_size=1, max_size=200), st.integers(0, 9))
def test_sums_of_squares_stay_within_an_integer(counts, more):
    """Counts of up to 2^62 in all come to 2^44 at most, none to 0, large ones in proportion, all squares below 2^63."""
    counts = [count + more for count in counts]
    if sum(counts) >= MOST:
        counts = [max(count >> 8, 1) for count in counts]
    table = clusterable(table_of(counts))
    total = int(table.counts.sum())
    assert total <= MOST_WEIGHT + len(counts)
    assert (table.counts > 0).all()
    assert 3 * 255**2 * total < 2**63
    whole = sum(counts)
    for count, weight in zip(counts, table.counts.tolist(), strict=True):
        assert abs(weight / total - count / whole) < 1e-10


def test_white_as_heavy_as_it_gets_has_no_distortion():
    """The energy of the largest total there may be is exact, so that a palette of that colour has mse 0."""
    table = clusterable(ColorTable(np.full((1, 3), 255, np.uint8), np.array([MOST - 1])))
    heavy = ColorTable(table.colors, table.counts * MOST_WEIGHT)
    assert heavy.energy == 3 * 255**2 * MOST_WEIGHT


def test_colours_that_count_nothing_are_left_out_and_none_are_black():
    """Hidden colours are not clustered; where there is no other, black stands for them."""
    table = clusterable(table_of([0, 6, 0, 4]))
    assert table.colors[:, 0].tolist() == [1, 3]
    assert table.counts.tolist() == [3, 2]
    for empty in (clusterable(table_of([0, 0])), clusterable(add_tables([]))):
        assert empty.colors.tolist() == [[0, 0, 0]]
        assert find_palette(empty, shared_pyramid(empty, "rgb"), 5, FlattenOptions()).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("fixed", [(), (FixedColor("#ff0000"),)], ids=["free", "fixed"])
def test_many_images_are_worth_several_searches(fixed):
    """The palette of many images is the best of those that so many searches of one image find."""
    table = index_colors(painting(2, 24, 32)).table
    one = build_pyramid(table.colors, table.counts, "rgb")
    palettes = [find_palette(table, one, 17, FlattenOptions(seed=seed, fixed=fixed)) for seed in range(16)]
    left = [distortion(table.colors, table.counts, palette) for palette in palettes]
    shared = find_palette(table, shared_pyramid(table, "rgb"), 17, FlattenOptions(fixed=fixed))
    assert len({*left}) > 1
    assert distortion(table.colors, table.counts, shared) == min(left)


@pytest.mark.parametrize("space", ["rgb", "oklab"])
@pytest.mark.parametrize("chunk", [1, 1000, 1 << 18])
def test_joined_colours_keep_their_exact_sums(space, chunk, monkeypatch):
    """Cells hold all the counts and coordinates, each of its own colours, however many are joined at a time."""
    monkeypatch.setattr(clustering, "_MANY", 1000)
    monkeypatch.setattr(clustering, "_CHUNK", chunk)
    table = index_colors(photograph(side=150)).table
    pyramid = shared_pyramid(table, space)
    cells = np.unique(table.colors >> 1, axis=0, return_inverse=True)[1].ravel()
    coordinates = to_space(table.colors, space).astype(np.int64)
    expected = np.zeros((cells.max() + 1, 4), np.int64)
    np.add.at(expected, cells, np.column_stack([coordinates, np.ones_like(cells)]) * table.counts[:, None])
    assert sorted(map(tuple, pyramid.colors.sums.tolist())) == sorted(map(tuple, expected.tolist()))
    whole = build_pyramid(table.colors, table.counts, space)
    assert np.array_equal(pyramid.cells.points.sums, whole.cells.points.sums)


def test_joining_millions_of_colours_costs_next_to_no_quality(monkeypatch):
    """Palettes found on cells are within a thousandth of those found on all colours, distortion taken over all."""
    table = add_tables([index_colors(picture).table for picture in (photograph(side=200), painting(1), noise(2))])
    ratios = []
    for k in (3, 9, 16):
        exact = find_palette(table, shared_pyramid(table, "rgb"), k, FlattenOptions())
        with monkeypatch.context() as patched:
            patched.setattr(clustering, "_MANY", 1000)
            joined = find_palette(table, shared_pyramid(table, "rgb"), k, FlattenOptions())
        ratios.append(distortion(table.colors, table.counts, joined) / distortion(table.colors, table.counts, exact))
    assert max(ratios) < 1.001
