"""The best k colours of a chart: where there are few choices all are weighed, else good ones are bettered by swaps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.choosing.medoids import swap_chosen
from flatpipe.quantize.choosing.nearest import nearest_targets
from flatpipe.quantize.choosing.weighing import best_choice, distortion_of
from flatpipe.quantize.color_space import to_space
from flatpipe.quantize.options import Space
from flatpipe.quantize.pyramid import ColorPyramid
from flatpipe.quantize.search.kmeans import lloyd
from flatpipe.quantize.search.seeding import kmeans_plusplus

_FEW, _FEW_SHARED = 25_000, 120_000
# ^ choices times their colours up to which all are weighed: a tenth of a second for an image, with k = 5 of a chart of
#   16; for many images together half a second, with any k of it
_STARTS, _STARTS_LARGE, _STARTS_SHARED = 8, 4, 16
# ^ searches from different first colours; for a large chart, and for many images together
_LARGE = 1000
# ^ colours of a chart from which it is a large one
_FINALISTS = 2
# ^ of them that go on to all colours
_POINTS = 1024
# ^ at least, on which swaps are tried with all colours of the chart; 8 for each that is chosen
_ROUNDS, _TOL = 5, 0.5
# ^ of Lloyd's iteration before centroids become the nearest colours of the chart; in 8-bit levels
_NEAR = 6
# ^ colours of the chart around each chosen one that are tried again on all colours
_WORK = 1 << 28
# ^ colours times what is tried on them, at most: beyond it, a sketch stands for them


def choose_colors(
    pyramid: ColorPyramid, k: int, seed: int, space: Space, chart: NDArray[np.uint8], fixed: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return the colours of `chart` (m, 3), none of them fixed, that are best, k in all with those `fixed` (p, 3).

    `pyramid` holds the colours to be shown, in `space`. The chosen ones come in the order of the chart. Of a chart of
    more colours than are chosen, those that would show nothing are left out.
    """
    size = k - len(fixed)
    if size >= len(chart):
        return chart
    if size == 0:
        return chart[:0]
    targets = to_space(np.concatenate([fixed, chart]), space).astype(np.float64)
    rows = np.sort(_Chart(pyramid, targets, len(fixed), seed).choose(size))
    everyone = np.concatenate([np.arange(len(fixed)), rows])
    shown = np.bincount(nearest_targets(pyramid.colors.positions.astype(np.float64), targets[everyone]), minlength=k)
    chosen: NDArray[np.uint8] = chart[rows[shown[len(fixed) :] > 0] - len(fixed)]
    return chosen


@dataclass(frozen=True)
class _Chart:
    """Colours of a chart, behind those that are fixed, as points of the space of the colours to be shown."""

    pyramid: ColorPyramid
    targets: NDArray[np.float64]
    # ^ (m, 3), different ones
    fixed: int
    # ^ the first so many are always chosen
    seed: int

    def choose(self, size: int) -> NDArray[np.int64]:
        """Return the `size` rows, fewer than there are, that leave the least distortion beside the fixed ones."""
        k = size + self.fixed
        most = _FEW_SHARED if self.pyramid.is_shared else _FEW
        if k == 1 or math.comb(len(self.targets) - self.fixed, size) * k <= most:
            return best_choice(self.pyramid, self.targets, size, self.fixed)
        random = np.random.default_rng([self.seed, k])
        points, targets = self.pyramid.sketch(max(_POINTS, 8 * k)), self.targets.astype(np.float32)
        starts = [self._start(k, random) for _ in range(self._n_starts)]
        left = [swap_chosen(points, targets, chosen, self.fixed) for chosen in starts]
        finalists = [self._polished(starts[row]) for row in np.argsort(left, kind="stable")[:_FINALISTS]]
        costs = [distortion_of(self.pyramid.colors, self.targets[chosen]) for chosen in finalists]
        return finalists[int(np.argmin(costs))][self.fixed :]

    @property
    def _n_starts(self) -> int:
        if self.pyramid.is_shared:
            return _STARTS_SHARED
        return _STARTS if len(self.targets) < _LARGE else _STARTS_LARGE

    def _start(self, k: int, random: np.random.Generator) -> NDArray[np.int64]:
        """Return k rows, the fixed ones first: those nearest to centroids, each taken once."""
        points = self.pyramid.sketch(max(_POINTS, 8 * k))
        pinned = self.targets[: self.fixed].astype(np.float32)
        centroids = kmeans_plusplus(points, k, random, 2, pinned)
        lloyd(points, centroids, _ROUNDS, _TOL * self.pyramid.level_size, self.fixed)
        chosen, is_taken = np.arange(k), np.arange(len(self.targets)) < self.fixed
        for place in range(self.fixed, k):
            gaps = ((self.targets - centroids[place]) ** 2).sum(axis=1)
            chosen[place] = np.argmin(np.where(is_taken, np.inf, gaps))
            is_taken[chosen[place]] = True
        return chosen

    def _polished(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return better rows than `chosen` (k,), by swaps with colours of the chart near them, on all colours."""
        gaps = ((self.targets[:, None] - self.targets[chosen]) ** 2).sum(axis=2)
        near = np.argsort(gaps, axis=0, kind="stable")[: _NEAR + 1]
        others = np.setdiff1d(near, chosen)
        rows = np.concatenate([chosen, others])
        points = self.pyramid.colors
        if len(points.sums) * rows.size > _WORK:
            points = self.pyramid.sketch(_WORK // rows.size)
        places = np.arange(chosen.size)
        swap_chosen(points, self.targets[rows].astype(np.float32), places, self.fixed)
        polished: NDArray[np.int64] = rows[places]
        return polished
