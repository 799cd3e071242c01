"""Colours chosen from a chart: the best there are, against every choice where these can be counted."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flatpipe.quantize.choosing import chart as chart_module
from flatpipe.quantize.choosing.find_palette import find_palette
from flatpipe.quantize.choosing.medoids import swap_chosen
from flatpipe.quantize.choosing.rows import rgb_of
from flatpipe.quantize.choosing.weighing import cells_above, weigh_choices
from flatpipe.quantize.color_space import to_space
from flatpipe.quantize.color_table import ColorTable, index_colors
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.options import FixedColor, FlattenOptions
from flatpipe.quantize.pyramid import build_pyramid
from flatpipe.quantize.shared.clustering import clusterable, shared_pyramid
from tests.quantize.builders import distortion, noise, painting, photograph

SPACES = ["rgb", "oklab"]


def hexes(colors) -> tuple[str, ...]:
    """Colours (n, 3) as "#rrggbb"."""
    return tuple("#" + bytes(color).hex() for color in np.asarray(colors).tolist())


def random_chart(seed: int, size: int):
    """So many colours, each channel in steps of five."""
    return np.random.default_rng(seed).integers(0, 52, (size, 3), dtype=np.uint8) * np.uint8(5)


def costs(table: ColorTable, chart, space):
    """The exact cost of showing each colour of the table by each of the chart, (n, m) int64."""
    coordinates, targets = (to_space(colors, space).astype(np.int64) for colors in (table.colors, chart))
    return ((coordinates[:, None] - targets[None]) ** 2).sum(axis=2) * table.counts[:, None]


def exhaustive(table: ColorTable, chart, k: int, space, fixed=()):
    """The least cost of all choices of k colours, the rows `fixed` among them, and the first such choice."""
    each = costs(table, chart, space)
    free = [row for row in range(len(chart)) if row not in fixed]
    choices = [(*fixed, *chosen) for chosen in combinations(free, k - len(fixed))]
    totals = [int(each[:, list(choice)].min(axis=1).sum()) for choice in choices]
    best = int(np.argmin(totals))
    return totals[best], choices[best]


def cost_of(table: ColorTable, palette, space) -> int:
    """The exact cost of showing the table by a palette."""
    return int(costs(table, palette, space).min(axis=1).sum())


@given(
    arrays(np.uint8, (4, 5, 3)),
    st.integers(1, 4),
    st.integers(1, 16),
    st.integers(0, 999),
    st.sampled_from(SPACES),
    st.integers(0, 2),
)
@settings(max_examples=150, deadline=None)
def test_of_few_choices_the_best_is_chosen(pixels, k, size, seed, space, n_fixed):
    """From charts of up to 16 colours, k up to 4, fixed ones among them or not, no other choice costs less."""
    chart = np.unique(random_chart(seed, size), axis=0)
    fixed = tuple(range(min(n_fixed, k, len(chart))))
    options = FlattenOptions(
        chart=hexes(chart), match=space, fixed=tuple(FixedColor(color) for color in hexes(chart[: len(fixed)]))
    )
    flat = flatten_pixels(pixels, k, options)
    table = index_colors(pixels).table
    least, _ = exhaustive(table, chart, min(k, len(chart)), space, fixed)
    assert cost_of(table, flat.palette, space) == least
    assert {*flat.hex_colors} <= {*options.chart}
    assert {*hexes(chart[: len(fixed)])} <= {*flat.hex_colors}


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "pixels", [painting(1), noise(2, 60, 60), photograph(side=90)], ids=["blobs", "noise", "photo"]
)
def test_of_a_chart_of_sixteen_the_best_four_are_chosen(pixels, k, space):
    """With thousands of colours, where whole cells are weighed first, the choice is that of weighing every colour."""
    chart = random_chart(7, 16)
    table = index_colors(pixels).table
    _, best = exhaustive(table, chart, k, space)
    assert flatten_pixels(pixels, k, FlattenOptions(chart=hexes(chart), match=space)).hex_colors == hexes(
        chart[list(best)]
    )


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("depths", [0, 1, 2])
def test_weighing_cells_bounds_what_choices_cost(space, depths):
    """Beyond the distortion inside the cells, which all choices share, the exact cost lies between the two bounds."""
    table = index_colors(painting(1)).table
    pyramid = build_pyramid(table.colors, table.counts, space)
    chart = random_chart(4, 6)
    choices = np.array([*combinations(range(6), 3)])
    means, weights, radius = cells_above(pyramid, depths)
    weighed = weigh_choices(means, weights, radius, to_space(chart, space).astype(np.float64), choices)
    _, cell_of = np.unique(table.colors >> (2 + depths), axis=0, return_inverse=True)
    coordinates = to_space(table.colors, space).astype(np.float64)
    inside = 0.0
    for cell in range(cell_of.max() + 1):
        rows = cell_of.ravel() == cell
        mean = np.average(coordinates[rows], axis=0, weights=table.counts[rows])
        inside += float((((coordinates[rows] - mean) ** 2).sum(axis=1) * table.counts[rows]).sum())
    exact = np.array([cost_of(table, chart[choice], space) for choice in choices]) - inside
    assert (weighed.least <= exact + 1e-9 * abs(exact)).all()
    assert (exact <= weighed.most * (1 + 1e-9)).all()
    assert (weighed.most - weighed.least).max() < 0.6 * exact.max()
    assert ((exact < weighed.most * (1 - 1e-9)) & (weighed.least > 0)).any()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("n_fixed", [0, 2])
def test_swaps_find_the_best_of_small_charts_too(space, n_fixed, monkeypatch):
    """Where choices are too many to be weighed, swaps end at the best one: on charts whose choices can be counted."""
    monkeypatch.setattr(chart_module, "_FEW", 0)
    excess = []
    for seed in range(5):
        chart = random_chart(seed, 14)
        pixels = painting(seed, 24, 32)
        fixed = tuple(FixedColor(color) for color in hexes(chart[:n_fixed]))
        table = index_colors(pixels).table
        for k in (3, 5, 9):
            options = FlattenOptions(chart=hexes(chart), match=space, fixed=fixed)
            palette = flatten_pixels(pixels, k, options).palette
            least, _ = exhaustive(table, chart, k, space, tuple(range(n_fixed)))
            excess.append(cost_of(table, palette, space) / least)
    assert np.mean(excess) < 1.0001


@pytest.mark.parametrize(("size", "k"), [(300, 8), (3000, 40), (3000, 256)])
def test_from_large_charts_no_single_swap_with_a_near_colour_pays(size, k):
    """On all colours, no chosen colour is worse than any of its three neighbours in the chart."""
    chart = rgb_of(hexes(random_chart(3, size)))
    pixels = photograph("kodim03", 160)
    table = index_colors(pixels).table
    palette = flatten_pixels(pixels, k, FlattenOptions(chart=hexes(chart))).palette
    each = costs(table, chart, "rgb")
    rows = [int(np.flatnonzero((chart == color).all(axis=1))[0]) for color in palette]
    assert rows == sorted(rows)
    total = each[:, rows].min(axis=1).sum()
    for place, row in enumerate(rows[:20]):
        others = each[:, rows[:place] + rows[place + 1 :]].min(axis=1, initial=np.iinfo(np.int64).max)
        for near in np.argsort(((chart.astype(int) - chart[row]) ** 2).sum(axis=1), kind="stable")[1:4]:
            assert np.minimum(others, each[:, near]).sum() >= total * (1 - 1e-6)


def test_more_colours_never_show_worse():
    """From one chart, each k costs at most what the one before did, down to the whole chart."""
    pixels, options = painting(6), FlattenOptions(chart=hexes(random_chart(9, 40)))
    table = index_colors(pixels).table
    left = [cost_of(table, flatten_pixels(pixels, k, options).palette, "rgb") for k in (*range(1, 41, 3), 40)]
    assert all(after <= before * 1.0001 for before, after in pairwise(left))
    assert left[-1] == cost_of(table, rgb_of(options.chart), "rgb")


def test_a_chart_of_no_more_colours_is_taken_whole():
    """With as many colours as the chart has, or more, the palette is the chart, each colour once, used or not."""
    chart = ("#ff0000", "#00FF00", "#ff0000", "#0000ff")
    for k in (3, 4, 200):
        flat = flatten_pixels(np.full((4, 4, 3), 250, np.uint8), k, FlattenOptions(chart=chart))
        assert flat.hex_colors == ("#ff0000", "#00ff00", "#0000ff")
        assert sorted(flat.weights.tolist()) == [0, 0, 16]


def test_colours_of_a_chart_that_show_nothing_are_left_out():
    """An image of two colours gets two of sixteen, though eight were allowed."""
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[0] = 200
    chart = (*hexes(random_chart(1, 14)), "#c8c8c8", "#000000")
    for most in (0, 1 << 20):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(chart_module, "_FEW", most)
            assert flatten_pixels(pixels, 8, FlattenOptions(chart=chart)).hex_colors == ("#c8c8c8", "#000000")


def test_fixed_colours_of_a_chart_stand_in_their_rows():
    """What is fixed need not be of the chart; it stands where it is asked for, and the chosen ones around it."""
    fixed = (FixedColor("#123456", 2), FixedColor("#ffffff"))
    chart = hexes(random_chart(2, 12))
    flat = flatten_pixels(painting(3), 5, FlattenOptions(chart=(*chart, "#ffffff"), fixed=fixed))
    assert flat.n_colors == 5
    assert (flat.hex_colors[0], flat.hex_colors[2]) == ("#ffffff", "#123456")
    chosen = [color for color in flat.hex_colors if color not in ("#ffffff", "#123456")]
    assert [chart.index(color) for color in chosen] == sorted(chart.index(color) for color in chosen)


@pytest.mark.parametrize("k", [2, 7])
def test_many_images_choose_as_one(k):
    """For a table of many images the choice is the best of all, also where one image would be put off with swaps."""
    table = clusterable(index_colors(painting(8, 24, 32)).table)
    chart = random_chart(5, 16)
    options = FlattenOptions(chart=hexes(chart), match="oklab")
    palette = find_palette(table, shared_pyramid(table, options.searched_in), k, options)
    assert cost_of(table, palette, "oklab") == exhaustive(table, chart, k, "oklab")[0]


@given(st.integers(0, 10**6), st.integers(3, 8), st.integers(0, 2))
@settings(deadline=None)
def test_swaps_end_where_no_swap_pays(seed, k, fixed):
    """No exchange of one chosen colour for another saves anything, fixed ones stay, and the distortion is true."""
    random = np.random.default_rng(seed)
    table = index_colors(random.integers(0, 256, (5, 8, 3), dtype=np.uint8)).table
    points = clusterable(table)
    colors = shared_pyramid(points, "rgb").colors
    targets = random.permutation(256)[:12, None] + np.float32([[0, 3, -5]])
    chosen = np.concatenate([np.arange(fixed), fixed + random.permutation(12 - fixed)[: k - fixed]])
    before = distortion(points.colors, points.counts, targets[chosen])
    left = swap_chosen(colors, targets.astype(np.float32), chosen, fixed)
    assert chosen[:fixed].tolist() == list(range(fixed))
    assert len({*chosen.tolist()}) == k
    assert left == pytest.approx(distortion(points.colors, points.counts, targets[chosen]))
    assert left <= before * (1 + 1e-9)
    for place in range(fixed, k):
        for row in {*range(12)} - {*chosen.tolist()}:
            swapped = chosen.copy()
            swapped[place] = row
            assert distortion(points.colors, points.counts, targets[swapped]) >= left * (1 - 1e-6)
