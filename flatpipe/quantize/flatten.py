"""Pixels, k, options -> FlatImage: the algorithm in five lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import from_space, lightness, to_space
from flatpipe.quantize.color_table import ColorTable, IndexedImage, index_colors
from flatpipe.quantize.metrics import psnr_of_mse
from flatpipe.quantize.options import MAX_K, FlattenOptions, Space
from flatpipe.quantize.recolor import label_pixels, nearest_colors
from flatpipe.quantize.solvers import SOLVERS

ALGORITHM = 1
# ^ raised whenever a result may change


@dataclass(frozen=True)
class FlatImage:
    """An image in few colours.

    `palette` (n_colors, 3) uint8 from dark to light, each the rounded mean of its pixels; `label_map` (H, W) uint8:
    palette row of each pixel; `weights` (n_colors,) int64: counted pixels (or opacity) per palette colour; `mse`: mean
    over counted pixels of the squared RGB distance to the palette colour, summed over channels, in 8-bit levels.
    """

    palette: NDArray[np.uint8]
    label_map: NDArray[np.uint8]
    weights: NDArray[np.int64]
    mse: float

    @property
    def flat(self) -> NDArray[np.uint8]:
        """The recoloured image, (H, W, 3) uint8."""
        return self.palette[self.label_map]

    @property
    def n_colors(self) -> int:
        """Colours obtained, at most k."""
        return len(self.palette)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Part of the counted pixels that each palette colour covers, (n_colors,) float64; sums to 1."""
        shares: NDArray[np.float64] = self.weights / self.weights.sum()
        return shares

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio in dB, over all channels; infinite when no colour changed."""
        return psnr_of_mse(self.mse)


def flatten_pixels(
    pixels: NDArray[np.uint8],
    k: int,
    options: FlattenOptions = FlattenOptions(),  # noqa: B008 - frozen
    alpha: NDArray[np.uint8] | None = None,
) -> FlatImage:
    """Return `pixels` (H, W, 3) uint8 in at most k colours; see `flatten_indexed`."""
    return flatten_indexed(index_colors(pixels, alpha), k, options)


def flatten_indexed(image: IndexedImage, k: int, options: FlattenOptions = FlattenOptions()) -> FlatImage:  # noqa: B008
    """Return `image` in at most k colours, 1 <= k <= 256.

    The result depends on the image's pixels, alpha, k and options alone. An image of no more than k colours comes back
    in exactly its colours, mse 0. Raises ValueError for a k out of range.
    """
    if not 1 <= k <= MAX_K:
        raise ValueError(f"k must be from 1 to {MAX_K}, not {k}")
    labels = _cluster(image, k, options)
    palette, labels = _round_palette(image.table, labels, options.space)
    palette, labels = _sort_palette(palette, labels)
    weights, distortion = _measure(image.table, labels, palette)
    return FlatImage(palette, label_pixels(image.index, labels), weights, distortion / int(weights.sum()))


def _cluster(image: IndexedImage, k: int, options: FlattenOptions) -> NDArray[np.uint8]:
    """Return the cluster of each visible colour, (m,) uint8: the colour itself where there are no more than k."""
    visible = image.table.visible
    if visible.size <= k:
        return np.arange(visible.size, dtype=np.uint8)
    return SOLVERS[options.solver](image.levels(options.space), k, options.seed).labels


def _round_palette(
    table: ColorTable, labels: NDArray[np.uint8], space: Space
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the rounded means as distinct colours (n_colors, 3) uint8, and the label of every colour of the table."""
    visible = table.visible
    totals, weights = _totals(to_space(table.colors[visible], space), table.counts[visible], labels)
    used = np.flatnonzero(weights)
    rounded = from_space(totals[used] / weights[used, None], space)
    palette, merged = np.unique(rounded, axis=0, return_inverse=True)
    row_of_label = np.zeros(weights.size, np.uint8)
    row_of_label[used] = merged.reshape(-1)
    if visible.size == len(table.colors):
        return palette, row_of_label[labels]
    full = nearest_colors(table.colors, palette)
    full[visible] = row_of_label[labels]
    return palette, full


def _sort_palette(palette: NDArray[np.uint8], labels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return palette and labels with the colours ordered from dark to light, equals by (r, g, b)."""
    order = np.lexsort((palette[:, 2], palette[:, 1], palette[:, 0], lightness(palette)))
    place = np.empty(len(order), np.uint8)
    place[order] = np.arange(len(order))
    return palette[order], place[labels]


def _measure(table: ColorTable, labels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> tuple[NDArray[np.int64], int]:
    """Return the weight of each palette colour and the exact distortion, a whole number."""
    gaps = table.colors.astype(np.int64) - palette[labels]
    distortion = int(np.dot((gaps * gaps).sum(axis=1), table.counts))
    _, weights = _totals(table.colors, table.counts, labels)
    return weights, distortion


def _totals(
    coordinates: NDArray[np.integer], counts: NDArray[np.int64], labels: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the exact sums (k, 3) of count x coordinates and the counts (k,) of each cluster, int64."""
    k = int(labels.max()) + 1
    totals = np.zeros((k, 3), np.int64)
    weights = np.zeros(k, np.int64)
    np.add.at(totals, labels, coordinates * counts[:, None])
    np.add.at(weights, labels, counts)
    return totals, weights
