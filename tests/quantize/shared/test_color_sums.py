"""Adding up: the colours of many images, exactly, in whatever order and portions they come."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flatpipe.quantize.color_table import ColorTable, index_colors
from flatpipe.quantize.shared import color_sums
from flatpipe.quantize.shared.color_sums import IMAGE_WEIGHT, add_tables, color_weights
from tests.quantize.builders import noise, painting

few_levels = st.integers(0, 255).map(lambda level: level // 60 * 60)
images = arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3)), elements=few_levels)
masks = st.none() | st.integers(0, 2**32)


def counted(table: ColorTable) -> dict[tuple[int, ...], int]:
    """A table's counts by colour; a colour that stands in it twice would be seen."""
    assert len({*map(tuple, table.colors.tolist())}) == len(table.colors)
    return dict(zip(map(tuple, table.colors.tolist()), table.counts.tolist(), strict=True))


def is_same(one: ColorTable, other: ColorTable) -> bool:
    """Whether two tables are equal, the order of their rows included."""
    return np.array_equal(one.colors, other.colors) and np.array_equal(one.counts, other.counts)


@given(st.lists(st.tuples(images, masks), max_size=6), st.data())
def test_any_order_and_any_portions_have_the_same_sum(pictures, data):
    """Added up one by one, shuffled, or in portions whose sums are added up, the tables come to what counting says."""
    tables, expected = [], Counter()
    for pixels, seed in pictures:
        shape = pixels.shape[:2]
        alpha = None if seed is None else np.random.default_rng(seed).choice(np.uint8([0, 0, 9, 255]), shape)
        tables.append(color_weights(index_colors(pixels, alpha).table, alpha, "pixels"))
        opacity = np.full(shape, 255) if alpha is None else alpha
        for color, weight in zip(pixels.reshape(-1, 3).tolist(), opacity.ravel().tolist(), strict=True):
            expected[tuple(color)] += weight
    total = add_tables(tables)
    assert counted(total) == {color: weight for color, weight in expected.items() if weight}
    cut = data.draw(st.integers(0, len(tables)))
    shuffled = data.draw(st.permutations(tables))
    assert is_same(add_tables([add_tables(shuffled[:cut]), add_tables(shuffled[cut:])]), total)


@pytest.mark.parametrize(("collected", "dense"), [(1, 1 << 22), (1, 1), (300, 2000), (1 << 20, 1000)])
def test_how_much_is_collected_changes_no_sum(collected, dense, monkeypatch):
    """Joined at once or late, with a count for the colours there are or for every one, the sum is the same, sorted."""
    tables = [index_colors(picture).table for picture in (noise(1), painting(2), noise(1), painting(3), noise(4))]
    usual = add_tables(tables)
    monkeypatch.setattr(color_sums, "_COLLECTED", collected)
    monkeypatch.setattr(color_sums, "_DENSE", dense)
    assert is_same(add_tables(tables), usual)
    assert counted(usual) == dict(sum((Counter(counted(table)) for table in tables), Counter()))
    in_order = index_colors(usual.colors[None]).table.colors
    assert np.array_equal(usual.colors, in_order)


@given(images, masks, st.integers(1, 6))
def test_images_count_alike_whatever_their_size(pixels, seed, times):
    """An image has the same weights as the same one many times as large: its colours' shares of 2^24."""
    alpha = None if seed is None else np.random.default_rng(seed).choice(np.uint8([1, 9, 255]), pixels.shape[:2])
    table = index_colors(pixels, alpha).table
    weights = counted(color_weights(table, alpha, "images"))
    larger = ColorTable(table.colors, table.counts * times)
    total = int(table.counts.sum())
    exact = {color: count * IMAGE_WEIGHT / total for color, count in counted(table).items()}
    assert counted(color_weights(larger, alpha, "images")) == weights
    assert all(abs(weights[color] - share) <= 0.5 for color, share in exact.items())


def test_a_speck_of_a_huge_image_still_counts():
    """Where images count alike, a colour of less than half a part in 2^24 counts 1."""
    table = ColorTable(np.uint8([[0, 0, 0], [1, 1, 1]]), np.array([1, 1 << 40]))
    assert color_weights(table, np.uint8([[255]]), "images").counts.tolist() == [1, IMAGE_WEIGHT]


@pytest.mark.parametrize("weighing", ["pixels", "images"])
def test_an_image_without_an_opaque_pixel_adds_nothing(weighing):
    """No colour of such an image counts, though flattened alone it is black."""
    pixels, alpha = noise(0), np.zeros(noise(0).shape[:2], np.uint8)
    assert color_weights(index_colors(pixels, alpha).table, alpha, weighing).counts.size == 0


def test_sums_that_an_integer_cannot_hold_are_refused():
    """Counts of 2^62 in all raise an error instead of turning negative."""
    large = ColorTable(np.zeros((1, 3), np.uint8), np.array([1 << 61]))
    with pytest.raises(OverflowError, match=r"2\^62"):
        add_tables([large, large])
