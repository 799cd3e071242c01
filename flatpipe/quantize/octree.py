"""The Z-order curve through the colour cube, and the octree whose cells are stretches of it.

A colour's place on the curve is the bits of r, g and b taken in turn, most significant first. In a table of this order
every cell of the octree is a run of rows.

G. M. Morton, "A computer oriented geodetic data base and a new technique in file sequencing", 1966.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel

_SPREAD = np.array([sum((level >> bit & 1) << 3 * bit for bit in range(8)) for level in range(256)], np.uint32)
# ^ the bits of a level, three places apart
DEPTH = 6
# ^ the smallest cells share 6 leading bits per channel: 4 levels wide, 3 to 8 colours of a photograph


class Octree(NamedTuple):
    """The cells of the colour cube that have colours in them, depth by depth from the smallest up to the root."""

    inside: NDArray[np.float64]
    # ^ (m,) distortion inside each cell
    n_children: NDArray[np.int64]
    # ^ (m,) how many cells each cell is divided into; the smallest into their colours
    children: NDArray[np.int64]
    # ^ first row of each child of each cell
    falling: NDArray[np.float64]
    # ^ `inside` of the cells with more than one child, the largest first
    n_runs: NDArray[np.int64]
    # ^ runs of rows there are when so many of these are split, and one more


@kernel
def zorder(red: np.uint8, green: np.uint8, blue: np.uint8) -> np.uint64:
    """Return a colour's place on the curve, 24 bits."""
    return np.uint64((_SPREAD[red] << np.uint32(2)) | (_SPREAD[green] << np.uint32(1)) | _SPREAD[blue])


@kernel
def level_at(place: np.int64, channel: int) -> np.int64:
    """Return the 8-bit level of one channel (0 red, 1 green, 2 blue) at a place on the curve."""
    bits = (place >> (2 - channel)) & 0x249249
    bits = (bits | bits >> 2) & 0x0C30C3
    bits = (bits | bits >> 4) & 0x00F00F
    return (bits | bits >> 8) & 0xFF


@kernel
def find_cells(colors: NDArray[np.uint8], depth: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row of each cell of this `depth`, then n; and each cell's place on the Z-order curve."""
    starts = np.empty(colors.shape[0] + 1, np.int64)
    places = np.empty(colors.shape[0], np.int64)
    m, last = 0, np.int64(-1)
    for i in range(colors.shape[0]):
        place = np.int64(zorder(colors[i, 0], colors[i, 1], colors[i, 2])) >> 3 * (8 - depth)
        if place != last:
            starts[m], places[m], last = i, place, place
            m += 1
    starts[m] = colors.shape[0]
    return starts[: m + 1].copy(), places[:m].copy()


def grow_octree(
    starts: NDArray[np.int64], sums: NDArray[np.int64], squares: NDArray[np.float64], places: NDArray[np.int64]
) -> Octree:
    """Return the octree of the smallest cells, joined from the leaves to the root.

    `starts` (m + 1,) are the first rows of these, then the number of rows; `sums` (m, 4) of them, count x coordinates
    and the count; `squares` (m,) of count x squared length; `places` (m,) on the curve.
    """
    inside, n_children, children = _join_cells(starts, sums, squares, places)
    divisible = np.flatnonzero(n_children > 1)
    falling = divisible[np.argsort(-inside[divisible])]
    n_runs = 1 + np.cumsum(n_children[falling] - 1)
    return Octree(inside, n_children, children, inside[falling], n_runs)


@kernel
def _join_cells(
    starts: NDArray[np.int64], sums: NDArray[np.int64], squares: NDArray[np.float64], places: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return `inside`, `n_children` and `children` of an `Octree`, given the same as `grow_octree`."""
    m, n = places.size, starts[-1]
    inside, n_children = np.empty((DEPTH + 1) * m), np.empty((DEPTH + 1) * m, np.int64)
    children = np.empty(n + DEPTH * m, np.int64)
    for row in range(n):
        children[row] = row
    below, first = np.diff(starts), starts[:-1].copy()
    totals, lengths, here = sums.copy(), squares.copy(), places.copy()
    cell, child = 0, n
    for depth in range(DEPTH + 1):
        for i in range(m):
            between = 0.0
            for c in range(3):
                between += np.float64(totals[i, c]) ** 2
            inside[cell], n_children[cell] = lengths[i] - between / totals[i, 3], below[i]
            cell += 1
            if depth < DEPTH:
                children[child] = first[i]
                child += 1
        m = _join_neighbours(m, first, below, totals, lengths, here)
    return inside[:cell].copy(), n_children[:cell].copy(), children[:child].copy()


@kernel
def _join_neighbours(
    m: int,
    first: NDArray[np.int64],
    below: NDArray[np.int64],
    sums: NDArray[np.int64],
    squares: NDArray[np.float64],
    places: NDArray[np.int64],
) -> int:
    """Join the first m cells to those one depth above, in place, all INOUT; return how many these are."""
    joined, i = 0, 0
    while i < m:
        place, begin, rest = places[i] >> 3, i, 0.0
        first[joined], squares[joined] = first[i], squares[i]
        for c in range(4):
            sums[joined, c] = sums[i, c]
        i += 1
        while i < m and places[i] >> 3 == place:
            for c in range(4):
                sums[joined, c] += sums[i, c]
            rest += squares[i]
            i += 1
        squares[joined] += rest
        places[joined], below[joined] = place, i - begin
        joined += 1
    return joined


@kernel
def split_starts(
    inside: NDArray[np.float64], n_children: NDArray[np.int64], children: NDArray[np.int64], least: float, n: int
) -> NDArray[np.int64]:
    """Return the first rows of the runs when every cell with a distortion of at least `least` is split, then n."""
    begins = np.zeros(n + 1, np.bool_)
    begins[0] = begins[n] = True
    place = 0
    for cell in range(inside.size):
        end = place + n_children[cell]
        if inside[cell] >= least:
            for child in range(place, end):
                begins[children[child]] = True
        place = end
    return np.flatnonzero(begins)
