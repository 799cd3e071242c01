"""Colours followed from one palette to the next."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from flatpipe.encode.descent import assigned, descent


@given(st.integers(1, 12), st.integers(0, 6), st.sampled_from([3, 1000, 10**15]), st.integers(0, 99))
def test_an_assignment_costs_no_more_than_scipy_s(n: int, more: int, largest: int, seed: int) -> None:
    """Each row has a column of its own, and together they cost what SciPy's solver finds, equal costs included."""
    costs = np.random.default_rng(seed).integers(0, largest, (n, n + more))
    columns = assigned(costs)
    assert len(set(columns.tolist())) == n
    best = costs[linear_sum_assignment(costs)].sum()
    assert costs[np.arange(n), columns].sum() == best


def test_a_colour_continues_and_another_splits_off() -> None:
    """A heavy colour goes on as what is near it, a colour between two takes the nearer as its parent and is new."""
    before = np.array([[0, 0, 0], [200, 0, 0], [255, 255, 255]], np.uint8)
    after = np.array([[10, 0, 0], [150, 0, 0], [210, 10, 0], [250, 250, 255]], np.uint8)
    found = descent(before, np.array([5, 5, 5]), after, np.array([5, 1, 4, 5]))
    assert found.parent.tolist() == [0, 1, 1, 2]
    assert found.is_new.tolist() == [False, True, False, False]


def test_the_heavier_colour_keeps_the_place_that_two_want() -> None:
    """Where two colours are nearest to one, the one that more pixels have goes the shorter way."""
    before, after = np.array([[0, 0, 0], [4, 0, 0]], np.uint8), np.array([[2, 0, 0], [0, 4, 0]], np.uint8)
    assert descent(before, np.array([1, 9]), after, np.array([5, 5])).parent.tolist() == [1, 0]
    assert descent(before, np.array([999, 1]), after, np.array([5, 5])).parent.tolist() == [0, 1]


def test_fewer_colours_each_continue_one() -> None:
    """Where the next palette is the shorter one, as after colours met in one, none of it is new."""
    before = np.array([[0, 0, 0], [9, 9, 9], [255, 0, 0]], np.uint8)
    found = descent(before, np.array([1, 9, 1]), before[[2, 1]], np.array([2, 9]))
    assert found.parent.tolist() == [2, 1]
    assert not found.is_new.any()
