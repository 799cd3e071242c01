"""Fixed colours: they stand as they are, where they are asked for, and k-means goes around them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flatpipe.quantize.choosing.find_palette import find_palette
from flatpipe.quantize.choosing.rows import in_rows, rgb_of
from flatpipe.quantize.color_space import to_space
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.options import FixedColor, FlattenOptions, Space
from flatpipe.quantize.pyramid import Points
from flatpipe.quantize.recolor import cluster_colors
from flatpipe.quantize.search.halving import halve
from flatpipe.quantize.search.kmeans import add_up, assign, gained, lloyd
from flatpipe.quantize.search.local_swaps import improve_many
from flatpipe.quantize.search.seeding import kmeans_plusplus
from flatpipe.quantize.search.swaps import improve
from tests.quantize.builders import distortion, painting, pyramid_of, weighted_pyramid

RED, BLUE, BLACK = "#ff0000", "#0000ff", "#000000"
levels = st.integers(0, 255).map(lambda level: level // 100 * 100)
colors = st.tuples(levels, levels, levels).map(lambda color: "#{:02x}{:02x}{:02x}".format(*color))


@st.composite
def locked(draw: st.DrawFn) -> tuple[int, tuple[FixedColor, ...]]:
    """A k, and fixed colours that have room in it, some of them in rows."""
    k = draw(st.integers(1, 20))
    fixed = draw(st.lists(colors, min_size=1, max_size=min(k, 4), unique=True))
    rows = draw(st.permutations(range(k)))
    asked = draw(st.lists(st.booleans(), min_size=len(fixed), max_size=len(fixed)))
    return k, tuple(
        FixedColor(color, row if is_asked else None) for color, row, is_asked in zip(fixed, rows, asked, strict=False)
    )


@given(arrays(np.uint8, (3, 5, 3), elements=levels), locked(), st.sampled_from(["rgb", "oklab"]))
def test_fixed_colours_stand_unchanged_in_their_rows(pixels, k_and_fixed, space):
    """Each is in the palette as it was given, in its row if it has one; no other colour is the same as one of them."""
    k, fixed = k_and_fixed
    flat = flatten_pixels(pixels, k, FlattenOptions(fixed=fixed, space=space))
    hexes = flat.hex_colors
    assert len(hexes) <= k
    assert {color.color for color in fixed} <= {*hexes}
    assert all(hexes[color.row] == color.color for color in fixed if color.row is not None)
    different = len({*hexes, *(color.color for color in fixed)})
    distinct = {*map(tuple, pixels.reshape(-1, 3).tolist())} - {*map(tuple, rgb_of(c.color for c in fixed).tolist())}
    if space == "rgb":
        assert different == len(fixed) + min(k - len(fixed), len(distinct))
    if len(distinct) <= k - len(fixed):
        assert flat.mse == 0


@pytest.mark.parametrize("space", ["rgb", "oklab"])
@pytest.mark.parametrize("k", [2, 5, 17, 40])
def test_free_colours_run_from_dark_to_light_in_the_rows_left(k, space):
    """A painting gets k different colours: a fixed one in the last row, one in the first, the rest in order."""
    options = FlattenOptions(fixed=(FixedColor(RED, k - 1), FixedColor(BLUE)), space=space)
    flat = flatten_pixels(painting(3), k, options)
    assert flat.n_colors == len({*flat.hex_colors}) == k
    assert (flat.hex_colors[0], flat.hex_colors[-1]) == (BLUE, RED)
    lightness = to_space(flat.palette[1:-1], "oklab")[:, 0]
    assert (np.diff(lightness) >= 0).all()


def _restarts(pixels, pinned, k: int, space: Space) -> float:
    """The least distortion that plain Lloyd's iteration around pinned centres finds from 40 random starts."""
    points = pyramid_of(pixels, space).colors
    positions, counts = points.positions.T.astype(float), points.sums[:, 3].astype(float)
    least, random = np.inf, np.random.default_rng(k)
    for _ in range(40):
        centers = np.concatenate([pinned, positions[random.choice(len(positions), k - len(pinned), replace=False)]])
        for _ in range(60):
            labels = ((positions[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
            weights = np.bincount(labels, counts, k)
            for c in range(3):
                means = np.bincount(labels, counts * positions[:, c], k) / np.maximum(weights, 1)
                centers[len(pinned) :, c] = np.where(weights > 0, means, centers[:, c])[len(pinned) :]
        least = min(least, distortion(positions, counts, centers))
    return least


@pytest.mark.parametrize("space", ["rgb", "oklab"])
@pytest.mark.parametrize("k", [3, 6, 20])
def test_many_restarts_find_nothing_better(k, space):
    """Around two fixed colours, one of them in use and one not, the free ones end where the best of 40 starts does."""
    pixels = painting(4, 24, 32)
    table = index_colors(pixels).table
    used = "#" + bytes(table.colors[np.argmax(table.counts)].tolist()).hex()
    options = FlattenOptions(fixed=(FixedColor(RED), FixedColor(used)), space=space)
    palette = find_palette(table, pyramid_of(pixels, space), k, options)
    pinned = to_space(palette[:2], space).astype(float)
    found = distortion(to_space(table.colors, space), table.counts, to_space(palette, space))
    assert found < 1.002 * _restarts(pixels, pinned, k, space)


@pytest.mark.parametrize("k", [4, 40])
def test_searches_move_only_free_centres_and_never_lose(k):
    """Swaps and shakes leave pinned centroids alone, and what they claim to gain is energy less distortion."""
    pyramid = pyramid_of(painting(8))
    points, pinned = pyramid.colors, np.float32([[255, 0, 0], [90, 90, 90]])
    start = kmeans_plusplus(points, k, np.random.default_rng(k), pinned=pinned)
    settled, swapped, shaken = start.copy(), start.copy(), start.copy()
    gains = [
        lloyd(points, settled, 100, 0.01, 2),
        improve(points, swapped, 10, 0.01, pyramid.energy, 2),
        improve_many(points, shaken, np.random.default_rng(0).random((2, 5, k, 3)), 50, 0.01, pyramid.energy, 2),
    ]
    assert gains[0] <= min(gains[1:])
    for centroids, gain in zip((settled, swapped, shaken), gains, strict=True):
        assert np.array_equal(centroids[:2], pinned)
        assert len(np.unique(centroids, axis=0)) == k
        left = distortion(points.positions.T, points.sums[:, 3], centroids)
        assert pyramid.energy - gain == pytest.approx(left, rel=0.01)


def test_gain_around_pinned_centroids_is_energy_less_distortion():
    """What clusters gain is exact wherever a pinned centroid lies, and the best there is for a free one."""
    pyramid = pyramid_of(painting(1))
    centroids = np.float32([[250, 3, 100], [20, 200, 60], [90, 90, 90]])
    labels = np.empty(pyramid.n, np.uint8)
    assign(pyramid.colors.positions, centroids, labels, np.empty(pyramid.n, np.float32))
    totals = add_up(pyramid.colors.sums, labels, 3)
    left = distortion(pyramid.colors.positions.T, pyramid.colors.sums[:, 3], centroids)
    assert pyramid.energy - gained(totals, centroids, 3) == pytest.approx(left, rel=1e-9)
    assert gained(totals, centroids, 2) > gained(totals, centroids, 3)


def test_dividing_a_pinned_cluster_leaves_its_centroid():
    """The gain is that of the better half alone, and both halves are that one: the centroid keeps the other."""
    points = Points(
        np.float32([[0, 2, 10], [0, 0, 0], [0, 0, 0]]), np.int64([[0, 0, 0, 1], [2, 0, 0, 1], [20, 0, 0, 2]])
    )
    centroids, gain, halves = np.float32([[1, 0, 0]]), np.empty(1), np.empty((1, 2, 3), np.float32)
    halve(points, np.zeros(3, np.uint8), np.arange(1), centroids, gain, halves, 1)
    assert halves[0, 0].tolist() == halves[0, 1].tolist() == pytest.approx([22 / 3, 0, 0])
    assert gain[0] == pytest.approx(3 * (22 / 3 - 1) ** 2)


def test_first_centroids_keep_away_from_pinned_ones():
    """Of two blobs, one with a pinned centroid in it, the first free centroid is in the other."""
    pixels = np.concatenate([np.full((10, 10, 3), 20, np.uint8), np.full((1, 10, 3), 220, np.uint8)])
    pixels[..., 0] += np.random.default_rng(0).integers(0, 9, pixels.shape[:2], dtype=np.uint8)
    picked = kmeans_plusplus(pyramid_of(pixels).colors, 2, np.random.default_rng(1), pinned=np.float32([[24, 20, 20]]))
    assert picked[0].tolist() == [24, 20, 20]
    assert picked[1, 1] == 220


def test_a_free_centroid_without_colours_finds_some_and_a_pinned_one_need_not():
    """Of two free centroids at one place, one takes a far colour; the pinned one, far from all, stays without."""
    pyramid = weighted_pyramid([[10, 0, 0], [20, 0, 0], [60, 0, 0]], [5, 5, 5])
    clusters = cluster_colors(pyramid, np.float64([[255, 255, 255], [30, 0, 0], [30, 0, 0]]), "rgb", 1)
    assert sorted(clusters.totals[:, 3].tolist()) == [0, 5, 10]
    assert clusters.totals[0, 3] == 0


ROWS = {
    "first come first": ((FixedColor(RED), FixedColor(BLUE)), [9], [RED, BLUE, "#090909"]),
    "a row of its own": ((FixedColor(RED), FixedColor(BLUE, 0)), [9], [BLUE, RED, "#090909"]),
    "others before it": ((FixedColor(RED, 2),), [8, 9], ["#080808", "#090909", RED]),
    "others around it": ((FixedColor(RED, 1),), [8, 9], ["#080808", RED, "#090909"]),
    "none left to reach it": ((FixedColor(RED, 3),), [9], ["#090909", "#090909", "#090909", RED]),
    "none at all before it": ((FixedColor(RED, 1), FixedColor(BLUE, 3)), [], [RED, RED, RED, BLUE]),
    "the same one twice": ((FixedColor(RED), FixedColor(RED, 1), FixedColor(RED)), [9], ["#090909", RED]),
}


@pytest.mark.parametrize(("fixed", "greys", "expected"), ROWS.values(), ids=ROWS)
def test_rows(fixed, greys, expected):
    """Rows that are asked for are kept, the rest follows in order, and a gap repeats the colour before it."""
    palette = in_rows(fixed, np.repeat(np.array(greys, np.uint8)[:, None], 3, axis=1))
    assert ["#" + bytes(color).hex() for color in palette.tolist()] == expected


BAD = {
    "too many": (1, (FixedColor(RED), FixedColor(BLUE)), "2 fixed colours have no room in a palette of 1"),
    "no such row": (4, (FixedColor(RED, 4),), "#ff0000 cannot stand in row 4 of a palette of 4"),
    "a row twice": (4, (FixedColor(RED, 1), FixedColor(BLUE, 1)), "#0000ff and #ff0000 cannot both stand in row 1"),
    "two rows": (4, (FixedColor(RED, 1), FixedColor(RED, 2)), "a fixed colour cannot stand in two rows"),
}


@pytest.mark.parametrize(("k", "fixed", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_is_refused(k, fixed, words):
    """Fixed colours that contradict one another, or k, are an error that says so."""
    with pytest.raises(ValueError, match=words):
        flatten_pixels(painting(1), k, FlattenOptions(fixed=fixed))


def test_other_solvers_hold_nothing_fixed():
    """Asked to hold colours fixed, scikit-learn's solver is refused instead of moving them."""
    options = FlattenOptions(fixed=(FixedColor(RED),))
    with pytest.raises(ValueError, match="sklearn cannot hold"):
        flatten_pixels(painting(1), 4, replace(options, solver="sklearn"))
