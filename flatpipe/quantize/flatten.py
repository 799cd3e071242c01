"""Pixels, k, options -> FlattenedImage: the algorithm in five lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import from_space
from flatpipe.quantize.color_table import IndexedImage, index_colors
from flatpipe.quantize.options import MAX_K, FlattenOptions
from flatpipe.quantize.palette_image import FlattenedImage
from flatpipe.quantize.recolor import arrange, cluster_colors, label_pixels, rgb_totals
from flatpipe.quantize.search.filtering import ClusteredColors
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
    arranged = arrange(colors, rgb_totals(image.table, clusters, options.space))
    distortion = image.table.energy - int(arranged.gained)
    label_map = label_pixels(image, clusters, arranged)
    return FlattenedImage(arranged.palette, label_map, arranged.weights, distortion / int(arranged.weights.sum()))


def _cluster(image: IndexedImage, k: int, options: FlattenOptions) -> ClusteredColors:
    """Return the clusters of the visible colours: the colours themselves where there are no more than k."""
    pyramid = image.pyramid(options.space)
    if pyramid.n <= k:
        return ClusteredColors(np.arange(pyramid.n, dtype=np.uint8), pyramid.colors.sums)
    centroids = SOLVERS[options.solver](pyramid, k, options.seed)
    return cluster_colors(pyramid, centroids, options.space)
