"""The default solver: a search for a good optimum on coarse tables of the colours.

For a few centroids it stands here, for more in many.py.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import ColorPyramid, Points
from flatpipe.quantize.search.kmeans import copy_rows, lloyd
from flatpipe.quantize.search.many import search_many
from flatpipe.quantize.search.seeding import NO_CENTROIDS, kmeans_plusplus, pick, trials_for
from flatpipe.quantize.search.swaps import improve

_FEW = 16
# ^ centroids up to which the whole table is tried again for each swap; with more, the neighbours of the two
_TOL = 0.04
# ^ in 8-bit levels, root mean square over pixels: 0.01 takes half the time again and gains 0.00005 of distortion
_MAX_ROUNDS = 100
_QUICK = 1024
# ^ points for the first centroids of a quick palette
_SMALL = 100_000
# ^ pixels below which an image is worth half the search: at 128x128 half the time for 0.001 of distortion
_LARGE = 2_000_000
# ^ pixels from which it is worth three times the search: 2 % of the codecs' time, a third of the excess distortion
_SAME = 1e-4
# ^ relative difference of distortion below which two optima count as one


class Effort(NamedTuple):
    """How hard to search."""

    coarse: int
    # ^ points on which optima are searched for
    middle: int
    # ^ points on which the best of them is chosen
    starts: int
    # ^ searches from different first centroids
    tries: int
    # ^ swaps that must fail before a search ends
    candidates: int
    # ^ optima carried from the coarse to the middle table
    polish: int
    # ^ points on which the best moves on: on all colours steps of less than half a level are lost to rounding
    tol: float = _TOL
    # ^ movement of the centroids at which they count as settled


def effort_for(n_pixels: int, n_colors: int, k: int) -> Effort:
    """Return the effort that an image is worth: 700 points for 768x512, more starts where colours are few."""
    is_small = n_pixels < _SMALL
    coarse = max(min(max(int(1.12 * math.sqrt(n_pixels)), 256), 1500), 16 * k if is_small else 32 * k)
    if is_small:
        middle = 8 * coarse
        return Effort(coarse, middle, starts=min(max(4000 // n_colors, 2), 40), tries=10, candidates=2, polish=middle)
    starts = min(max(4000 // n_colors, 4), 40)
    if n_pixels >= _LARGE:
        starts = max(starts, 12)
        return Effort(coarse, 3 * coarse, starts, tries=3, candidates=4, polish=24 * coarse, tol=_TOL / 2)
    return Effort(coarse, 3 * coarse, starts, tries=10, candidates=3, polish=24 * coarse)


def multilevel(
    pyramid: ColorPyramid, k: int, seed: int, pinned: NDArray[np.float32] = NO_CENTROIDS
) -> NDArray[np.float64]:
    """Return k centroids (k, 3) of the colours, near the best optimum; `cluster_colors` takes them there.

    The first ones are those `pinned` (p, 3), fewer than k.
    """
    if k > _FEW:
        return search_many(pyramid, k, np.random.default_rng([seed, k]), pinned).astype(np.float64)
    effort = effort_for(pyramid.n_pixels, pyramid.n, k)
    coarse, middle = pyramid.sketch(effort.coarse), pyramid.sketch(effort.middle)
    polish = pyramid.sketch(effort.polish) if effort.polish > effort.middle else middle
    tol = effort.tol * pyramid.level_size
    draws = _draws(seed, k, effort.starts)
    found: NDArray[np.float32] = search(coarse, middle, polish, draws, pinned, effort, tol, pyramid.energy)
    return found.astype(np.float64)


@lru_cache(maxsize=64)
def _draws(seed: int, k: int, starts: int) -> NDArray[np.float64]:
    """Return the draws for the first centroids of so many searches, the same ones for every image."""
    return np.random.default_rng([seed, k]).random((starts, k, trials_for(k)))


@kernel
def search(
    coarse: Points,
    middle: Points,
    polish: Points,
    draws: NDArray[np.float64],
    pinned: NDArray[np.float32],
    effort: Effort,
    tol: float,
    energy: float,
) -> NDArray[np.float32]:
    """Return the best centroids (k, 3) float32 that searches on the `coarse` points find, moved on on finer ones.

    The first ones are those `pinned` (p, 3). Each of `draws` (starts, k, trials) begins a search; of optima that
    differ, the best are compared on the `middle` points. `tol` is in units of the space. One call does it all: after
    each the interpreter's lock must be had again.
    """
    starts, k = draws.shape[:2]
    optima, distortion = np.empty((starts, k, 3), np.float32), np.empty(starts)
    for i in range(starts):
        copy_rows(pinned, optima[i])
        copy_rows(pick(coarse, draws[i, : k - len(pinned)], pinned), optima[i, len(pinned) :])
        distortion[i] = energy - improve(coarse, optima[i], effort.tries, tol, energy, len(pinned))
    best, most, last = 0, -np.inf, -np.inf
    for _ in range(effort.candidates):
        row = _next_optimum(distortion, last)
        if row < 0:
            break
        last = distortion[row]
        gain = lloyd(middle, optima[row], _MAX_ROUNDS, tol, len(pinned))
        if gain > most:
            best, most = row, gain
    if effort.polish > effort.middle:
        lloyd(polish, optima[best], _MAX_ROUNDS, tol, len(pinned))
    found: NDArray[np.float32] = optima[best].copy()
    return found


@kernel
def _next_optimum(distortion: NDArray[np.float64], last: float) -> int:
    """Return the row of the least of `distortion` (n,) that is above `last`, not the same; -1 when there is none."""
    found = -1
    for row in range(distortion.size):
        is_next = last == -np.inf or distortion[row] > last * (1 + _SAME)
        if is_next and (found < 0 or distortion[row] < distortion[found]):
            found = row
    return found


def quick_centroids(pyramid: ColorPyramid, k: int, seed: int = 0) -> NDArray[np.float32]:
    """Return k centroids (k, 3) of the RGB colours from their sketches alone: 0.3 dB short of `multilevel` at k=256.

    A hundredth of its time, for a palette that will be dithered with; less again for a small image.
    """
    is_small = pyramid.n_pixels < _SMALL
    centroids = kmeans_plusplus(
        pyramid.sketch(_QUICK), k, np.random.default_rng([seed, k]), trials=2 if is_small else 4
    )
    for size in (2 * _QUICK,) if is_small else (_QUICK, 4 * _QUICK):
        lloyd(pyramid.sketch(size), centroids, 5, _TOL, 0)
    return centroids
