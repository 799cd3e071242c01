"""An image's colours as weighted points, and coarser tables of them with exact integer sums.

A coarse table joins all colours that share the leading bits of r, g and b; a joined point stands at their mean, and its
sums are those of its colours, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from flatpipe.quantize.color_space import to_space
from flatpipe.quantize.options import Space

COARSE_BITS = (6, 5, 4)
# ^ leading bits per channel of the coarse tables


@dataclass(frozen=True)
class PointTable:
    """Weighted points: `positions` (3, n) float32, `counts` (n,) int64, `sums` (3, n) int64 = count x coordinates.

    Positions are exact for single colours and within 1e-3 of the exact mean for joined ones; sums are always exact.
    """

    positions: NDArray[np.float32]
    counts: NDArray[np.int64]
    sums: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of points."""
        return self.counts.size

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        return self.positions.nbytes + self.counts.nbytes + self.sums.nbytes


@dataclass(frozen=True)
class ColorLevels:
    """The same colours at falling detail: `tables[0]` has every colour, each next one joins more of them."""

    tables: tuple[PointTable, ...]

    @property
    def finest(self) -> PointTable:
        """The table with one point for each colour, in the order in which the colours were given."""
        return self.tables[0]

    @property
    def nbytes(self) -> int:
        """Bytes held by all tables."""
        return sum(table.nbytes for table in self.tables)


def build_levels(colors: NDArray[np.uint8], counts: NDArray[np.int64], space: Space) -> ColorLevels:
    """Return the levels of unique sRGB `colors` (n, 3) uint8 with `counts` (n,) int64, as points in `space`."""
    coordinates = np.ascontiguousarray(to_space(colors, space).T.astype(np.int64))
    finest = PointTable(coordinates.astype(np.float32), counts, coordinates * counts)
    return ColorLevels((finest, *(_joined(colors, finest, bits) for bits in COARSE_BITS)))


def _joined(colors: NDArray[np.uint8], finest: PointTable, bits: int) -> PointTable:
    """Return `finest` with all colours joined that share their leading `bits` in every channel."""
    cell_counts, cell_sums = _join_cells(colors, finest.counts, finest.sums, bits)
    occupied = np.flatnonzero(cell_counts)
    counts, sums = cell_counts[occupied], np.ascontiguousarray(cell_sums[occupied].T)
    return PointTable((sums / counts).astype(np.float32), counts, sums)


@njit(nogil=True, cache=True)
def _join_cells(
    colors: NDArray[np.uint8], counts: NDArray[np.int64], sums: NDArray[np.int64], bits: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return counts (2^(3 bits),) and sums (2^(3 bits), 3) of the colours in each cell of the colour cube."""
    cell_counts = np.zeros(1 << (3 * bits), np.int64)
    cell_sums = np.zeros((1 << (3 * bits), 3), np.int64)
    drop = 8 - bits
    for i in range(counts.size):
        r, g, b = np.int64(colors[i, 0]) >> drop, np.int64(colors[i, 1]) >> drop, np.int64(colors[i, 2]) >> drop
        cell = (r << (2 * bits)) | (g << bits) | b
        cell_counts[cell] += counts[i]
        for c in range(3):
            cell_sums[cell, c] += sums[c, i]
    return cell_counts, cell_sums
