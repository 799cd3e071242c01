"""Pixels, k, options -> FlattenedImage: the algorithm in five lines; and pixels put into a palette that is given."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.choosing.clusters import find_clusters
from flatpipe.quantize.choosing.find_palette import find_palette
from flatpipe.quantize.choosing.nearest import measure_rows, nearest_rows
from flatpipe.quantize.color_space import from_space
from flatpipe.quantize.color_table import IndexedImage, index_colors
from flatpipe.quantize.dithering.dithered import dithered_labels, measure_pixels
from flatpipe.quantize.options import MAX_K, FlattenOptions
from flatpipe.quantize.palette_image import FlatColors, FlattenedImage
from flatpipe.quantize.recolor import Arranged, arrange, label_pixels, look_up, rgb_totals
from flatpipe.quantize.search.filtering import ClusteredColors


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
    in exactly its colours, mse 0, unless only those of a chart are allowed. Raises ValueError for a k out of range.
    """
    if not options.is_plain:
        return flatten_to(image, _palette(image, k, options), options)
    found = _cluster(image, k, options)
    label_map = label_pixels(image, found.clusters, found.arranged)
    return FlattenedImage(found.arranged.palette, label_map, found.arranged.weights, found.mse)


def flat_colors(image: IndexedImage, k: int, options: FlattenOptions = FlattenOptions()) -> FlatColors:  # noqa: B008
    """Return the colours of what `flatten_indexed` gives; no pixel is painted unless it is dithered."""
    if not options.is_plain:
        return flat_colors_in(image, _palette(image, k, options), options)
    found = _cluster(image, k, options)
    return FlatColors(found.arranged.palette, found.arranged.weights, found.mse)


class _Clustered(NamedTuple):
    """The colours of an image in clusters, and these as a palette."""

    clusters: ClusteredColors
    arranged: Arranged
    mse: float


def _palette(image: IndexedImage, k: int, options: FlattenOptions) -> NDArray[np.uint8]:
    return find_palette(image.table, image.pyramid(options.searched_in), k, options)


def _cluster(image: IndexedImage, k: int, options: FlattenOptions) -> _Clustered:
    """Return the best clusters, where a pixel simply gets the mean colour of its own."""
    if not 1 <= k <= MAX_K:
        raise ValueError(f"k must be from 1 to {MAX_K}, not {k}")
    clusters = find_clusters(image.pyramid(options.space), k, options)
    colors = from_space(clusters.totals[:, :3] / clusters.totals[:, 3:], options.space)
    arranged = arrange(colors, rgb_totals(image.table, clusters, options.space))
    distortion = image.table.energy - int(arranged.gained)
    return _Clustered(clusters, arranged, distortion / int(arranged.weights.sum()))


def mse_of_own(image: IndexedImage, k: int, options: FlattenOptions) -> float:
    """Return the mse that the best palette for `image` alone leaves, found as `options` say and not dithered with."""
    return flat_colors(image, k, replace(options, dither="none")).mse


def flatten_to(
    image: IndexedImage,
    palette: NDArray[np.uint8],
    options: FlattenOptions = FlattenOptions(),  # noqa: B008
) -> FlattenedImage:
    """Return `image` in the colours of `palette` (n, 3) uint8, which stays as it is; weights may be 0.

    Each pixel gets the nearest colour in `options.matched_in`, hidden ones too; of equals the one in the lowest row. Or
    it is dithered as the options say, unless the palette has every colour that shows.
    """
    rows = nearest_rows(image.table.colors, palette, options.matched_in)
    weights, distortion = measure_rows(image.table.colors, image.table.counts, palette, rows)
    is_dithered = options.dither != "none" and bool(distortion > 0)
    if is_dithered:
        label_map = dithered_labels(image, palette, rows, options)
        weights, distortion = measure_pixels(image, palette, label_map)
    else:
        label_map = look_up(image.index, rows, np.arange(MAX_K, dtype=np.uint8))
    mse = distortion / int(weights.sum())
    return FlattenedImage(palette, label_map, weights, mse, is_dithered=is_dithered)


def flat_colors_in(image: IndexedImage, palette: NDArray[np.uint8], options: FlattenOptions) -> FlatColors:
    """Return the colours of what `flatten_to` gives; no pixel is painted unless it is dithered."""
    if options.dither != "none":
        return flatten_to(image, palette, options).colors
    rows = nearest_rows(image.table.colors, palette, options.matched_in)
    weights, distortion = measure_rows(image.table.colors, image.table.counts, palette, rows)
    return FlatColors(palette, weights, distortion / int(weights.sum()))
