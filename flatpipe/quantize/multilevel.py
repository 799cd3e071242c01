"""The default solver: a search on coarse tables of the colours for a good optimum, then refinement on every colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.levels import ColorLevels
from flatpipe.quantize.refine import approach
from flatpipe.quantize.seeding import spread
from flatpipe.quantize.swaps import improve

_COARSE, _MIDDLE = 1000, 4000
# ^ points on which optima are searched for, and on which the best is chosen
_TRIES = 10
_CANDIDATES = 4
# ^ carried from the coarse to the middle table
_TOL = 0.1
# ^ in levels: stopping when no centroid moves farther costs 0.001 % of distortion
_SLACK = 1.0
_MAX_ROUNDS = 100
_SAME = 1e-4
# ^ relative difference of distortion below which two optima count as one


def multilevel(levels: ColorLevels, k: int, seed: int) -> NDArray[np.float64]:
    """Return k centroids (k, 3) of the colours, near the best that is known to exist."""
    random = np.random.default_rng([seed, k])
    tol = _TOL * levels.level
    found = _search(levels, k, random)
    middle = levels.sketch(_MIDDLE)
    best, most = found[0], -np.inf
    for centroids in found:
        explained = improve(middle, centroids, 0, tol / 2, levels.energy)
        if explained > most:
            best, most = centroids, explained
    approach(levels.colors, levels.cells, best, _MAX_ROUNDS, tol, _SLACK * levels.level)
    return best.astype(np.float64)


def _search(levels: ColorLevels, k: int, random: np.random.Generator) -> list[NDArray[np.float32]]:
    """Return different optima (k, 3) of the coarse table, best first."""
    coarse = levels.sketch(max(_COARSE, 16 * k))
    optima = []
    for _ in range(5 if k <= 32 else 1):
        centroids = spread(coarse, k, random)
        tries = _TRIES if k <= 32 else 0
        explained = improve(coarse, centroids, tries, _TOL / 2 * levels.level, levels.energy)
        optima.append((levels.energy - explained, centroids))
    optima.sort(key=lambda optimum: optimum[0])
    kept = [optima[0]]
    for distortion, centroids in optima[1:]:
        if distortion > kept[-1][0] * (1 + _SAME):
            kept.append((distortion, centroids))
    return [centroids for _, centroids in kept[:_CANDIDATES]]
