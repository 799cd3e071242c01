"""The search for more than a few centroids: fewer starts, swaps among neighbours, and shakes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.pyramid import ColorPyramid
from flatpipe.quantize.search.filtering import settle
from flatpipe.quantize.search.kmeans import lloyd
from flatpipe.quantize.search.local_swaps import improve_many
from flatpipe.quantize.search.seeding import NO_CENTROIDS, kmeans_plusplus

_SHAKE_ROUNDS = 20
# ^ with 10, twice as many shakes take as long and reach the same
_ROUNDS = 8
# ^ of Lloyd's iteration after a shake
_CANDIDATES = 2
# ^ optima carried from the coarse to the middle table
_MIDDLE_SHAKES = 2
_TOL = 0.04
# ^ in 8-bit levels, root mean square over pixels, as in multilevel.py


class Effort(NamedTuple):
    """How hard to search."""

    coarse: int
    # ^ points on which optima are searched for; the best are improved on twice as many
    starts: int
    # ^ searches from different first centroids
    shakes: int
    # ^ of each


def effort_for(k: int) -> Effort:
    """Return the effort for `k`: enough points for each cluster, and more starts where they are cheap.

    On the Kodak photographs twice the starts take twice as long and leave a fifth less of what is left above the best
    known; fewer points leave more than that, since an optimum of the table is not one of the image.
    """
    starts = min(max(256 // k, 1), 6)
    return Effort(min(64 * k, max(32 * k, 6144)), starts, 1 + 4 // starts)


def search_many(
    pyramid: ColorPyramid, k: int, random: np.random.Generator, pinned: NDArray[np.float32] = NO_CENTROIDS
) -> NDArray[np.float32]:
    """Return k centroids (k, 3) where Lloyd's iteration on all colours ends, near the best optimum.

    The first ones are those `pinned` (p, 3).
    """
    effort = effort_for(k)
    found = []
    few = pyramid.sketch(8 * k)
    for _ in range(effort.starts):
        centroids = kmeans_plusplus(few, k, random, 1, pinned)
        # ^ the swaps make good what better first centroids would cost
        lloyd(few, centroids, _ROUNDS, _TOL * pyramid.level_size, len(pinned))
        gain = _improve(pyramid, effort.coarse, centroids, effort.shakes, random, len(pinned))
        found.append((gain, centroids))
    found.sort(key=lambda optimum: -optimum[0])
    candidates = [centroids for _, centroids in found[:_CANDIDATES]]
    gains = [
        _improve(pyramid, 2 * effort.coarse, centroids, _MIDDLE_SHAKES, random, len(pinned)) for centroids in candidates
    ]
    best = candidates[int(np.argmax(gains))]
    settle(pyramid, best, _TOL / 2, whole=False, pinned=len(pinned))
    return best


def _improve(
    pyramid: ColorPyramid,
    size: int,
    centroids: NDArray[np.float32],
    shakes: int,
    random: np.random.Generator,
    pinned: int,
) -> float:
    """Move `centroids` (k, 3), INOUT, but the first `pinned`, on about `size` points; return what they gain."""
    draws = random.random((shakes, _SHAKE_ROUNDS, len(centroids), 3))
    tol = _TOL * pyramid.level_size
    gain: float = improve_many(pyramid.sketch(size), centroids, draws, _ROUNDS, tol, pyramid.energy, pinned)
    return gain
