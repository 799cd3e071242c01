"""The default solver: a search for a good optimum on coarse tables of the colours."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.kmeans import lloyd
from flatpipe.quantize.levels import ColorLevels, Points
from flatpipe.quantize.seeding import spread
from flatpipe.quantize.swaps import improve

_TOL = 0.04
# ^ in levels, root mean square over pixels: 0.01 takes half the time again and gains 0.00005 of distortion
_MAX_ROUNDS = 100
_QUICK = 2048
# ^ points for a quick palette
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


def effort_for(n_pixels: int, n_colors: int, k: int) -> Effort:
    """Return the effort that an image is worth at `k`: 700 points for 768x512, more starts where colours are few."""
    coarse = max(min(max(int(1.12 * math.sqrt(n_pixels)), 250), 1500), 32 * k if k <= 32 else 16 * k)
    if k <= 32:
        return Effort(coarse, 6 * coarse, starts=min(max(4000 // n_colors, 4), 40), tries=10, candidates=3)
    return Effort(coarse, max(2 * coarse, 4000), starts=1, tries=3, candidates=1)


def multilevel(levels: ColorLevels, k: int, seed: int) -> NDArray[np.float64]:
    """Return k centroids (k, 3) of the colours, near the best optimum; `cluster_colors` takes them there."""
    effort, tol = effort_for(levels.n_pixels, levels.n, k), _TOL * levels.level
    found = _search(levels.sketch(effort.coarse), k, effort, tol, levels.energy, np.random.default_rng([seed, k]))
    middle = levels.sketch(effort.middle)
    explained = [lloyd(middle, centroids, _MAX_ROUNDS, tol) for centroids in found]
    best = found[int(np.argmax(explained))]
    lloyd(levels.sketch(4 * effort.middle), best, _MAX_ROUNDS, tol)
    # ^ on all colours means are rounded, and steps of less than half a level are lost: they are taken here
    return best.astype(np.float64)


def quick_centroids(levels: ColorLevels, k: int, seed: int = 0) -> NDArray[np.float32]:
    """Return k centroids (k, 3) of the RGB colours from their sketches alone: 0.3 dB short of `multilevel` at k=256.

    A fiftieth of its time, for a palette that will be dithered with.
    """
    random = np.random.default_rng([seed, k])
    centroids = spread(levels.sketch(_QUICK), k, random, trials=4)
    for size in (_QUICK, 4 * _QUICK):
        lloyd(levels.sketch(size), centroids, 5, _TOL)
    return centroids


def _search(
    points: Points, k: int, effort: Effort, tol: float, energy: float, random: np.random.Generator
) -> list[NDArray[np.float32]]:
    """Return different optima (k, 3) float32 of `points`, the best first, `effort.candidates` at most."""
    optima = []
    for _ in range(effort.starts):
        centroids = spread(points, k, random)
        optima.append((energy - improve(points, centroids, effort.tries, tol, energy), centroids))
    optima.sort(key=lambda optimum: optimum[0])
    kept = optima[:1]
    for distortion, centroids in optima[1:]:
        if distortion > kept[-1][0] * (1 + _SAME):
            kept.append((distortion, centroids))
    return [centroids for _, centroids in kept[: effort.candidates]]
