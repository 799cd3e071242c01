"""Colours, k, options -> the palette that they are best shown in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import from_space
from flatpipe.quantize.color_table import ColorTable
from flatpipe.quantize.options import MAX_K, FlattenOptions
from flatpipe.quantize.pyramid import ColorPyramid
from flatpipe.quantize.recolor import arrange, cluster_colors
from flatpipe.quantize.search.filtering import ClusteredColors
from flatpipe.quantize.search.solvers import SOLVERS


def find_palette(
    table: ColorTable,  # noqa: ARG001 - a chart needs it
    pyramid: ColorPyramid,
    k: int,
    options: FlattenOptions,
) -> NDArray[np.uint8]:
    """Return at most k different colours (n, 3) uint8 in which those of `table` are shown best.

    `pyramid` is that of the table in `options.searched_in`. Colours run from dark to light. Where there are no more
    than k, they are the palette.
    """
    if not 1 <= k <= MAX_K:
        raise ValueError(f"k must be from 1 to {MAX_K}, not {k}")
    if options.chart or options.fixed:
        raise NotImplementedError
    return mean_colors(find_clusters(pyramid, k, options), options)


def find_clusters(pyramid: ColorPyramid, k: int, options: FlattenOptions) -> ClusteredColors:
    """Return the clusters of the visible colours: the colours themselves where there are no more than k."""
    if pyramid.n <= k:
        return ClusteredColors(np.arange(pyramid.n, dtype=np.uint8), pyramid.colors.sums)
    centroids = SOLVERS[options.solver](pyramid, k, options.seed)
    return cluster_colors(pyramid, centroids, options.space)


def mean_colors(clusters: ClusteredColors, options: FlattenOptions) -> NDArray[np.uint8]:
    """Return the clusters' mean colours, different ones (n, 3) uint8, from dark to light."""
    colors = from_space(clusters.totals[:, :3] / clusters.totals[:, 3:], options.space)
    return arrange(colors, np.zeros_like(clusters.totals)).palette
