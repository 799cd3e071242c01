"""The colours of many images added up, exactly: the sum is the same in whatever order and portions they come.

A table of colours is a bitmap of the 2^24 there are and a count for each bit that is set, as in color_table.py. Tables
that come are first collected; joining them takes one pass over the bitmap, however many they are. Memory is that of
the colours there are; beyond some millions of them one count is kept for every possible colour, 128 MiB, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_table import N_WORDS, ColorTable, frozen, list_colors, mark_colors, ones, rank_words
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.octree import zorder
from flatpipe.quantize.options import Weighing

IMAGE_WEIGHT = 1 << 24
# ^ what an image counts where all count alike
MOST = 1 << 62
# ^ total of all counts: sums of them are int64
_OPAQUE = 255
# ^ what a pixel of an image without an alpha channel counts: as much as an opaque one of an image with one
_COLLECTED = 1 << 20
# ^ colours of tables that are collected before they are joined: 11 MB
_DENSE = 1 << 22
# ^ colours from which on there is a count for every possible one


def color_weights(table: ColorTable, alpha: NDArray[np.uint8] | None, weighing: Weighing) -> ColorTable:
    """Return the colours of an image as they count among those of others; none of an image without an opaque pixel.

    By `pixels` a colour counts the sum of its pixels' opacity, 0..255. By `images` every image counts 2^24, whatever
    its size: a colour its part of that, rounded to a whole number, though never to 0.
    """
    if alpha is not None and not alpha.any():
        return ColorTable(np.empty((0, 3), np.uint8), np.empty(0, np.int64))
    if weighing == "pixels":
        return table if alpha is not None else ColorTable(table.colors, table.counts * _OPAQUE)
    colors, counts = table.colors[table.visible], table.counts[table.visible]
    total = counts.sum()
    whole, rest = np.divmod(counts << 12, total)
    part, rest = np.divmod(rest << 12, total)
    # ^ twelve bits at a time: the product of both could be more than an int64 holds
    shares = (whole << 12) + part + (2 * rest >= total)
    return ColorTable(colors, np.maximum(shares, 1))


def add_tables(tables: Iterable[ColorTable]) -> ColorTable:
    """Return the sum of the tables: every colour of theirs that counts, with the total of its counts."""
    sums = ColorSums()
    for table in tables:
        sums.add(table)
    return sums.table


class ColorSums:
    """Colour tables added up one by one."""

    def __init__(self) -> None:
        self._seen = np.zeros(N_WORDS, np.uint64)
        # ^ bitmap of the colours with a count
        self._counts = np.empty(0, np.int64)
        # ^ in the order of the bitmap's bits
        self._collected: list[ColorTable] = []
        self._n_collected = 0
        self._total = 0

    def add(self, table: ColorTable) -> None:
        """Add the counts of a table. Raises OverflowError where all of them come to 2^62."""
        self._total += int(table.counts.sum())
        if self._total >= MOST:
            raise OverflowError("colours that count 2^62 and more in all cannot be added up")
        self._collected.append(table)
        self._n_collected += len(table.counts)
        if self._n_collected > max(_COLLECTED, self._counts.size // 4):
            self._join()

    @property
    def table(self) -> ColorTable:
        """The sum: colours in Z-order, each with a count above 0. Arrays are read-only."""
        self._join()
        counting = np.flatnonzero(self._counts)
        colors = list_colors(self._seen, np.flatnonzero(self._seen), np.int64(self._counts.size))
        return ColorTable(frozen(colors[counting]), frozen(self._counts[counting]))

    def _join(self) -> None:
        """Add what has been collected."""
        if not self._collected:
            return
        colors = frozen(np.concatenate([table.colors for table in self._collected]))
        added = frozen(np.concatenate([table.counts for table in self._collected]))
        self._collected, self._n_collected = [], 0
        seen, _ = mark_colors(colors)
        seen |= self._seen
        first_rank, n = rank_words(seen, np.flatnonzero(seen))
        if n > _DENSE:
            seen[:] = ~np.uint64(0)
            first_rank, n = rank_words(seen, np.arange(N_WORDS))
        if n > self._counts.size:
            self._counts = _spread(self._seen, self._counts, seen, first_rank, int(n))
            self._seen = seen
        _add(colors, added, seen, first_rank, self._counts)


@kernel
def _spread(
    before: NDArray[np.uint64],
    counts: NDArray[np.int64],
    seen: NDArray[np.uint64],
    first_rank: NDArray[np.uint32],
    n: int,
) -> NDArray[np.int64]:
    """Return `counts` (m,), in the order of the bits of `before`, in that of `seen`, which has n: these and more."""
    spread = np.zeros(n, np.int64)
    row = 0
    for w in range(before.size):
        word = before[w]
        while word:
            below = (word & (~word + np.uint64(1))) - np.uint64(1)
            spread[np.int64(first_rank[w]) + ones(seen[w] & below)] = counts[row]
            row += 1
            word &= word - np.uint64(1)
    return spread


@kernel
def _add(
    colors: NDArray[np.uint8],
    added: NDArray[np.int64],
    seen: NDArray[np.uint64],
    first_rank: NDArray[np.uint32],
    counts: NDArray[np.int64],
) -> None:
    """Add to `counts`, INOUT, in the order of the bitmap `seen`, those of colours (n, 3)."""
    for i in range(added.size):
        place = zorder(colors[i, 0], colors[i, 1], colors[i, 2])
        word = place >> 6
        below = seen[word] & ((np.uint64(1) << (place & 63)) - np.uint64(1))
        counts[np.int64(first_rank[word]) + ones(below)] += added[i]
