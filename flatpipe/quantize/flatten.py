"""Pixels, k, options -> FlattenedImage: the algorithm in five lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import from_space, lightness
from flatpipe.quantize.color_table import IndexedImage, index_colors
from flatpipe.quantize.options import MAX_K, FlattenOptions
from flatpipe.quantize.palette_image import FlattenedImage
from flatpipe.quantize.recolor import (
    ClusteredColors,
    cluster_colors,
    exact_distortion,
    label_pixels,
    label_table,
    renumber,
)
from flatpipe.quantize.search.solvers import SOLVERS


def flatten_pixels(
    pixels: NDArray[np.uint8],
    k: int,
    options: FlattenOptions = FlattenOptions(),  # noqa: B008 - frozen
    alpha: NDArray[np.uint8] | None = None,
) -> FlattenedImage:
    """Return `pixels` (H, W, 3) uint8 in at most k colours; see `flatten_indexed`."""
    return flatten_indexed(index_colors(pixels, alpha), k, options)


def flatten_indexed(image: IndexedImage, k: int, options: FlattenOptions = FlattenOptions()) -> FlattenedImage:  # noqa: B008
    """Return `image` in at most k colours, 1 <= k <= 256.

    The result depends on the image's pixels, alpha, k and options alone. An image of no more than k colours comes back
    in exactly its colours, mse 0. Raises ValueError for a k out of range.
    """
    if not 1 <= k <= MAX_K:
        raise ValueError(f"k must be from 1 to {MAX_K}, not {k}")
    clusters = _cluster(image, k, options)
    colors = from_space(clusters.totals[:, :3] / clusters.totals[:, 3:], options.space)
    palette, row_of = _from_dark_to_light(colors)
    weights = np.zeros(len(palette), np.int64)
    np.add.at(weights, row_of, clusters.totals[:, 3])
    distortion = exact_distortion(image.table, clusters, colors, options.space)
    label_map = label_pixels(image.index, label_table(image.table, renumber(clusters.labels, row_of), palette))
    return FlattenedImage(palette, label_map, weights, distortion / int(weights.sum()))


def _cluster(image: IndexedImage, k: int, options: FlattenOptions) -> ClusteredColors:
    """Return the clusters of the visible colours: the colours themselves where there are no more than k."""
    pyramid = image.pyramid(options.space)
    if pyramid.n <= k:
        return ClusteredColors(np.arange(pyramid.n, dtype=np.uint8), pyramid.colors.sums)
    centroids = SOLVERS[options.solver](pyramid, k, options.seed)
    return cluster_colors(pyramid, centroids, options.space)


def _from_dark_to_light(colors: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the different ones of `colors` (k, 3) by lightness, then (r, g, b); and the row of each, (k,) uint8."""
    order = np.lexsort((*colors.T[::-1], lightness(colors)))
    is_new = np.append(True, np.diff(colors[order].astype(int), axis=0).any(axis=1))
    row_of = np.empty(len(order), np.uint8)
    row_of[order] = np.cumsum(is_new) - 1
    return colors[order[is_new]], row_of
