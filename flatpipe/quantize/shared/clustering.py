"""The colours of many images, made ready to be clustered as those of one: with exact sums, in bounded memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import to_space
from flatpipe.quantize.color_table import ColorTable, frozen
from flatpipe.quantize.octree import find_cells
from flatpipe.quantize.options import Space
from flatpipe.quantize.pyramid import ColorPyramid, Points, build_pyramid, join_points, pyramid_of, weigh

MOST_WEIGHT = 1 << 44
# ^ total of the counts that are clustered: times the squared length of white, 2^17.6, it is below 2^62
_MANY = 1 << 21
# ^ colours from which on neighbours are joined
_DEPTH = 7
# ^ of the cells that are joined then: 2 levels wide, 2^21 of them
_CHUNK = 1 << 18
# ^ colours that are joined at a time, and some more up to the end of a cell
_PIXELS = 1 << 24
# ^ what a search for many images is worth: as much as for a large one


def clusterable(table: ColorTable) -> ColorTable:
    """Return the table with its counts in proportion, and small: divided by their common divisor, if need be by more.

    In all they come to 2^44 at most, and one for each colour: sums of squares of 8-bit levels stay below 2^63. Beyond
    that, counts are halved until they do, and none becomes 0. Of no colour at all there is one black.
    """
    colors, counts = table.colors, table.counts
    if not counts.all():
        shown = counts > 0
        colors, counts = colors[shown], counts[shown]
    if not counts.size:
        return ColorTable(np.zeros((1, 3), np.uint8), np.ones(1, np.int64))
    divisor = np.gcd.reduce(counts)
    total = int(counts.sum() // divisor)
    shift = max(total.bit_length() - MOST_WEIGHT.bit_length() + 1, 0)
    if divisor > 1 or shift:
        counts = np.maximum((counts // divisor) >> shift, 1)
    return ColorTable(frozen(colors), frozen(counts))


def shared_pyramid(table: ColorTable, space: Space) -> ColorPyramid:
    """Return the pyramid of a clusterable table: of its colours, or, where these are millions, of cells 2 levels wide.

    A cell carries the exact sums of its colours. Beside the table it takes 250 MB at most.
    """
    if len(table.counts) <= _MANY:
        return build_pyramid(table.colors, table.counts, space, _PIXELS, is_shared=True)
    return pyramid_of(*join_colors(table, space), space, _PIXELS, is_shared=True)


def join_colors(table: ColorTable, space: Space) -> tuple[Points, NDArray[np.uint8]]:
    """Return a point for each cell that has colours in it, and the first of its colours, (m, 3) uint8."""
    starts, _ = find_cells(table.colors, _DEPTH)
    parts, cell = [], 0
    while cell < starts.size - 1:
        after = max(int(np.searchsorted(starts, starts[cell] + _CHUNK, side="right")) - 1, cell + 1)
        rows = slice(starts[cell], starts[after])
        points = weigh(to_space(table.colors[rows], space), table.counts[rows])
        parts.append(join_points(points.sums, starts[cell : after + 1] - starts[cell]))
        cell = after
    positions = np.concatenate([part.positions for part in parts], axis=1)
    return Points(positions, np.concatenate([part.sums for part in parts])), frozen(table.colors[starts[:-1]])
