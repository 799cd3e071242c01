"""An image's colours as weighted points, from all of them to coarse tables with exact integer sums.

The colours of a table come in Z-order, so every cell of the octree over the colour cube is a run of rows. A sketch
joins whole cells: it splits the cells with the largest distortion inside them until there are enough, so it is fine
where pixels differ much and coarse elsewhere. A joined point stands at the mean of its colours and carries their exact
sums: moving it from cluster to cluster moves its colours exactly.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import LEVEL_SIZE, to_space
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.octree import DEPTH, Octree, find_cells, grow_octree, split_starts
from flatpipe.quantize.options import Space


class Points(NamedTuple):
    """Weighted points: `positions` (3, n) float32; `sums` (n, 4) int64: count x coordinates, then the count itself.

    Positions are exact for single colours, means rounded to float32 for joined ones. Sums are always exact.
    """

    positions: NDArray[np.float32]
    sums: NDArray[np.int64]


class Cells(NamedTuple):
    """Runs of colours: `starts` (m + 1,) int64 first rows, `points` their means, `radius` (m,) float32 around these."""

    starts: NDArray[np.int64]
    points: Points
    radius: NDArray[np.float32]


@dataclass(frozen=True)
class ColorPyramid:
    """The colours of one image as points of one space, in full and in coarser and coarser sketches."""

    colors: Points
    # ^ every colour, in the order of the colour table
    cells: Cells
    # ^ the smallest cells
    level_size: float
    # ^ about one 8-bit level, in units of the space: what tolerances are measured in
    energy: float
    # ^ sum of count x squared length over all colours: distortion is energy minus what clusters gain
    n_pixels: int
    # ^ of the image: how much effort its search is worth
    is_shared: bool
    # ^ whether it is of many images: worth several searches
    places: NDArray[np.int64]
    # ^ place of each smallest cell on the Z-order curve, (m,): 3 bits for each of the 6 depths of the octree
    squares: NDArray[np.float64]
    # ^ sum of count x squared length in each smallest cell, (m,)
    _sketches: dict[int, Points] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def n(self) -> int:
        """Number of colours."""
        return len(self.colors.sums)

    @cached_property
    def _octree(self) -> Octree:
        return grow_octree(self.cells.starts, self.cells.points.sums, self.squares, self.places)

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays of the colours and cells; sketches are small."""
        arrays = (*self.colors, self.cells.starts, *self.cells.points, self.cells.radius, self.places, self.squares)
        return sum(values.nbytes for values in arrays)

    def sketch(self, size: int) -> Points:
        """Return about `size` points for all the colours (never fewer cells than asked, at most all colours)."""
        if self.n <= size:
            return self.colors
        with self._lock:
            if size not in self._sketches:
                tree = self._octree
                least = tree.falling[min(int(np.searchsorted(tree.n_runs, size)), tree.falling.size - 1)]
                starts = split_starts(tree.inside, tree.n_children, tree.children, least, self.n)
                self._sketches[size] = join_points(self.colors.sums, starts)
            return self._sketches[size]


def build_pyramid(
    colors: NDArray[np.uint8],
    counts: NDArray[np.int64],
    space: Space,
    n_pixels: int = 0,
    *,
    is_shared: bool = False,
) -> ColorPyramid:
    """Return the pyramid of unique sRGB `colors` (n, 3) uint8 in Z-order with `counts` (n,) int64, in `space`.

    `n_pixels` is the size of their image, by default the sum of the counts.
    """
    points = weigh(to_space(colors, space), counts)
    return pyramid_of(points, colors, space, n_pixels or int(counts.sum()), is_shared=is_shared)


def pyramid_of(
    points: Points, colors: NDArray[np.uint8], space: Space, n_pixels: int, *, is_shared: bool
) -> ColorPyramid:
    """Return the pyramid of `points` of `space`, each in the smallest cell of its colour among `colors` (n, 3)."""
    starts, places = find_cells(colors, DEPTH)
    means = join_points(points.sums, starts)
    radius, squares = _measure_cells(points, starts, means.positions)
    cells = Cells(starts, means, radius)
    return ColorPyramid(points, cells, LEVEL_SIZE[space], float(squares.sum()), n_pixels, is_shared, places, squares)


@kernel
def join_points(sums: NDArray[np.int64], starts: NDArray[np.int64]) -> Points:
    """Return one point for each run of rows of `sums` (n, 4) int64 that begins at `starts`, whose last entry is n."""
    m = starts.size - 1
    positions, joined = np.empty((3, m), np.float32), np.zeros((m, 4), np.int64)
    for j in range(m):
        for i in range(starts[j], starts[j + 1]):
            for c in range(4):
                joined[j, c] += sums[i, c]
        for c in range(3):
            positions[c, j] = joined[j, c] / joined[j, 3]
    return Points(positions, joined)


@kernel
def weigh(coordinates: NDArray[np.int32], counts: NDArray[np.int64]) -> Points:
    """Return the points of colours at `coordinates` (n, 3) with `counts` (n,)."""
    n = counts.size
    positions = np.empty((3, n), np.float32)
    sums = np.empty((n, 4), np.int64)
    for i in range(n):
        for c in range(3):
            positions[c, i] = coordinates[i, c]
            sums[i, c] = counts[i] * coordinates[i, c]
        sums[i, 3] = counts[i]
    return Points(positions, sums)


@kernel
def _measure_cells(
    points: Points, starts: NDArray[np.int64], means: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return each cell's largest distance from its mean to a colour of it, and its sum of count x squared length."""
    radius = np.zeros(starts.size - 1, np.float32)
    squares = np.zeros(starts.size - 1)
    for j in range(starts.size - 1):
        farthest = np.float32(0)
        for i in range(starts[j], starts[j + 1]):
            squared = np.float32(0)
            for c in range(3):
                squared += (points.positions[c, i] - means[c, j]) ** 2
                squares[j] += np.float64(points.sums[i, c]) * points.positions[c, i]
            farthest = max(farthest, squared)
        radius[j] = math.sqrt(farthest)
    return radius, squares
