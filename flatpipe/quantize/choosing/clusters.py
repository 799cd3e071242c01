"""Colours -> clusters: the best that one search finds for an image, or several for the colours of many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import to_space
from flatpipe.quantize.options import FlattenOptions
from flatpipe.quantize.pyramid import ColorPyramid
from flatpipe.quantize.recolor import cluster_colors
from flatpipe.quantize.search.filtering import ClusteredColors
from flatpipe.quantize.search.kmeans import gained
from flatpipe.quantize.search.multilevel import multilevel
from flatpipe.quantize.search.seeding import NO_CENTROIDS
from flatpipe.quantize.search.solvers import SOLVERS

_FEW = 16
# ^ clusters up to which the solver itself starts so often that a few searches find the best known
_SEARCHES_FEW, _SEARCHES = 4, 16
# ^ for many images: of the Kodak photographs together, one search ends 0.3 % above the best of 200 at k = 32, this
#   many 0.03 %


def find_clusters(pyramid: ColorPyramid, k: int, options: FlattenOptions) -> ClusteredColors:
    """Return the clusters of the visible colours: the colours themselves where there are no more than k."""
    if pyramid.n <= k:
        return ClusteredColors(np.arange(pyramid.n, dtype=np.uint8), pyramid.colors.sums)
    return _best_of_searches(pyramid, k, options, NO_CENTROIDS)


def free_clusters(
    pyramid: ColorPyramid, k: int, options: FlattenOptions, fixed: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Return the totals of the clusters that are left of k beside those of `fixed` colours (p, 3), p < k."""
    pinned = to_space(fixed, options.space).astype(np.float32)
    return _best_of_searches(pyramid, k, options, pinned).totals[len(pinned) :]


def _best_of_searches(
    pyramid: ColorPyramid, k: int, options: FlattenOptions, pinned: NDArray[np.float32]
) -> ClusteredColors:
    """Return k clusters, the first ones around those `pinned` (p, 3): of several searches those that gain most."""
    if not pyramid.is_shared:
        return _search(pyramid, k, options, options.seed, pinned)
    times = _SEARCHES_FEW if k <= _FEW else _SEARCHES
    found = (_search(pyramid, k, options, options.seed * times + time, pinned) for time in range(times))
    return max(found, key=lambda clusters: _gain(clusters, options, pinned))


def _search(
    pyramid: ColorPyramid, k: int, options: FlattenOptions, seed: int, pinned: NDArray[np.float32]
) -> ClusteredColors:
    solver = SOLVERS[options.solver]
    centroids = multilevel(pyramid, k, seed, pinned) if len(pinned) else solver(pyramid, k, seed)
    return cluster_colors(pyramid, centroids, options.space, len(pinned))


def _gain(clusters: ClusteredColors, options: FlattenOptions, pinned: NDArray[np.float32]) -> float:
    """Return what the clusters gain; in RGB around their rounded means, which are what a palette has."""
    gain: float
    if options.space == "rgb":
        totals = clusters.totals[len(pinned) :]
        means = np.rint(totals[:, :3] / totals[:, 3:]).astype(np.float32)
        gain = gained(clusters.totals, np.concatenate([pinned, means]), len(clusters.totals))
    else:
        gain = gained(clusters.totals, pinned, len(pinned))
    return gain
