"""The suggested k."""

from __future__ import annotations

import math
import random
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.quantize.knee import best_k, knee_k, missed, psnr, smallest_reaching, suggested_k


def _curve(seed: int) -> tuple[list[int], list[float]]:
    """Curves as k-means gives them, noisy ones, and ones that are no curve at all; ks with and without gaps."""
    chance = random.Random(seed)
    count = chance.randint(3, 24)
    ks = sorted(chance.sample(range(1, 80), count)) if seed % 2 else list(range(2, 2 + count))
    if seed % 3 == 0:
        return ks, sorted((chance.uniform(0, 4000) for _ in ks), reverse=True)
    if seed % 3 == 1:
        power = chance.uniform(0.4, 2.0)
        return ks, [4000 * chance.uniform(0.9, 1.1) / k**power for k in ks]
    return ks, [chance.uniform(0, 4000) for _ in ks]


@given(seed=st.integers(0, 2**32))
def test_knee_is_that_of_the_kneed_package(seed: int) -> None:
    """Our few lines find the same knee, or none, as the package `kneed` on falling, noisy and wild curves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # ^ kneed warns when it finds no knee
        from kneed import KneeLocator

        ks, mses = _curve(seed)
        expected = KneeLocator(ks, mses, curve="convex", direction="decreasing").knee
    assert knee_k(ks, mses) == expected


@pytest.mark.parametrize(
    ("ks", "mses", "expected"),
    [
        ([], [], None),
        ([5], [12.0], 5),
        ([2, 3, 4], [0.0, 0.0, 0.0], 2),
        ([2, 3], [9.0, 1.0], 2),
        ([2, 3, 4, 5], [9.0, 6.0, 3.0, 0.0], 2),
        ([2, 3, 4, 5, 6], [1000.0, 100.0, 90.0, 80.0, 75.0], 3),
    ],
)
def test_something_is_suggested_whenever_there_is_a_k(ks: list[int], mses: list[float], expected: int | None) -> None:
    """Without a knee the deepest bulge is suggested, and the smallest k where all are alike."""
    assert suggested_k(ks, mses) == expected


def test_smallest_k_of_a_quality() -> None:
    """The smallest k that reaches a PSNR is found, and None says that none does."""
    ks, mses = [2, 3, 4], [2000.0, 195.075, 0.0]
    assert psnr(195.075) == pytest.approx(30.0)
    assert smallest_reaching(ks, mses, 29.9) == 3
    assert smallest_reaching(ks, mses, 90.0) == 4
    assert smallest_reaching(ks[:2], mses[:2], 90.0) is None
    assert psnr(0.0) == math.inf
    assert psnr(3) == pytest.approx(48.1308, abs=1e-4), "one level off in every channel"


def test_a_target_names_the_k_that_reaches_it() -> None:
    """psnr>=30 is the first k of 30 dB or more, the largest when none is, which is said; other words mean the knee."""
    ks, mses = (2, 3, 4, 5), (2000.0, 500.0, 195.075, 150.0)
    assert psnr(mses[2]) == pytest.approx(30)

    assert best_k(ks, mses, "psnr>=29.9999") == 4
    assert missed(ks, mses, "psnr>=29.9999") == ""
    assert best_k(ks, mses, "psnr>=45.5") == 5
    assert missed(ks, mses, "psnr>=45.5") == "no k up to 5 reaches 45.5 dB"
    assert best_k(ks, mses, "knee") == best_k(ks, mses) == suggested_k(ks, mses) == 3
    assert best_k((), (), "psnr>=30") is None
    assert missed((), (), "psnr>=30") == missed(ks, mses, "knee") == ""
