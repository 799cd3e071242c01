"""Colours, k, options -> the palette that they are best shown in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.choosing.chart import choose_colors
from flatpipe.quantize.choosing.clusters import find_clusters, free_clusters
from flatpipe.quantize.choosing.rows import fixed_colors, in_rows, rgb_of, without
from flatpipe.quantize.color_space import from_space
from flatpipe.quantize.color_table import ColorTable
from flatpipe.quantize.options import MAX_K, FlattenOptions
from flatpipe.quantize.pyramid import ColorPyramid
from flatpipe.quantize.recolor import arrange


def find_palette(table: ColorTable, pyramid: ColorPyramid, k: int, options: FlattenOptions) -> NDArray[np.uint8]:
    """Return at most k colours (n, 3) uint8 in which those of `table` are shown best.

    `pyramid` is that of the table in `options.searched_in`. Fixed colours are among them, in the rows that they ask
    for; the others run from dark to light, or are the best of a chart, in its order. Where the colours of the table are
    no more than there is room for, they are the others; a chart of no more is taken whole. Raises ValueError for a k
    out of range, for fixed colours that do not fit, and for a solver that cannot hold any.
    """
    if not 1 <= k <= MAX_K:
        raise ValueError(f"k must be from 1 to {MAX_K}, not {k}")
    fixed = fixed_colors(options.fixed, k)
    if options.chart:
        chart = without(rgb_of(options.chart), fixed)
        others = choose_colors(pyramid, k, options.seed, options.matched_in, chart, fixed)
    elif options.fixed:
        others = _around(fixed, table, pyramid, k, options)
    else:
        others = _mean_colors(find_clusters(pyramid, k, options).totals, options)
    return in_rows(options.fixed, others) if options.fixed else others


def _around(
    fixed: NDArray[np.uint8], table: ColorTable, pyramid: ColorPyramid, k: int, options: FlattenOptions
) -> NDArray[np.uint8]:
    """Return the other colours of a palette of k with those `fixed` (p, 3): k-means around centres that stay."""
    if options.solver != "multilevel":
        raise ValueError(f"the solver {options.solver} cannot hold colours fixed")
    n_free = k - len(fixed)
    if pyramid.n <= k:
        others = without(table.colors[table.visible], fixed)
        if len(others) <= n_free:
            return _dark_to_light(others)
    if n_free == 0:
        return np.empty((0, 3), np.uint8)
    return without(_mean_colors(free_clusters(pyramid, k, options, fixed), options), fixed)


def _mean_colors(totals: NDArray[np.int64], options: FlattenOptions) -> NDArray[np.uint8]:
    """Return the mean colours of clusters with these `totals` (k, 4), different ones, from dark to light."""
    return _dark_to_light(from_space(totals[:, :3] / totals[:, 3:], options.space))


def _dark_to_light(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the different ones of `colors` (n, 3), from dark to light."""
    palette: NDArray[np.uint8] = arrange(colors, np.zeros((len(colors), 4), np.int64)).palette
    return palette
