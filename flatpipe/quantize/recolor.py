"""Centroids -> label of each colour -> label map of the pixels, by lookup."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import lightness_of
from flatpipe.quantize.color_table import ColorTable, IndexedImage
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.options import Space
from flatpipe.quantize.pyramid import ColorPyramid, weigh
from flatpipe.quantize.search.filtering import ClusteredColors, settle
from flatpipe.quantize.search.kmeans import add_up, assign

_TOL = {"rgb": 0.0, "oklab": 0.08}
# ^ in 8-bit levels, root mean square over pixels; in RGB means are rounded, and the iteration ends when none moves


def cluster_colors(
    pyramid: ColorPyramid, centroids: NDArray[np.float64], space: Space, pinned: int = 0
) -> ClusteredColors:
    """Return the k non-empty clusters of all colours to which Lloyd's iteration leads from `centroids` (k, 3).

    In RGB every colour belongs to the nearest rounded mean, and every rounded mean is that of its colours. In Oklab the
    colours belong to the nearest mean. A centroid left without colours takes the one that adds most to distortion.
    The first `pinned` centroids stay where they are, with colours or without.
    """
    moved = centroids.astype(np.float32)
    for _ in range(len(moved)):
        clusters = settle(pyramid, moved, _TOL[space], whole=space == "rgb", pinned=pinned)
        if clusters.totals[pinned:, 3].all():
            break
        _occupy(pyramid, clusters.labels, moved, pinned + np.flatnonzero(clusters.totals[pinned:, 3] == 0))
    return clusters


def _occupy(
    pyramid: ColorPyramid, labels: NDArray[np.uint8], palette: NDArray[np.float32], empty: NDArray[np.intp]
) -> None:
    """Move the `empty` rows of `palette` (k, 3), INOUT, to the colours with the largest count x squared distance."""
    positions, sums = pyramid.colors
    distortion = sums[:, 3] * ((positions.T - palette[labels]) ** 2).sum(axis=1)
    worst = np.argsort(-distortion, kind="stable")[: empty.size]
    palette[empty[: worst.size]] = positions[:, worst].T


class Arranged(NamedTuple):
    """The colours of clusters as a palette."""

    palette: NDArray[np.uint8]
    # ^ (n_colors, 3) different ones, by lightness, then (r, g, b)
    weights: NDArray[np.int64]
    # ^ (n_colors,) counts of the clusters that have each
    row_of: NDArray[np.uint8]
    # ^ (k,) palette row of each cluster
    gained: np.int64
    # ^ energy of the clusters' pixels minus their distortion from their colour, in RGB


@kernel
def arrange(colors: NDArray[np.uint8], totals: NDArray[np.int64]) -> Arranged:
    """Return `colors` (k, 3), those of clusters with these `totals` (k, 4) in RGB, as a palette from dark to light."""
    k = len(colors)
    coded, order = np.empty(k, np.int64), np.empty(k, np.int64)
    gained = np.int64(0)
    for j in range(k):
        red, green, blue = np.int64(colors[j, 0]), np.int64(colors[j, 1]), np.int64(colors[j, 2])
        coded[j] = lightness_of(colors[j, 0], colors[j, 1], colors[j, 2]) << 24 | red << 16 | green << 8 | blue
        for c in range(3):
            level = np.int64(colors[j, c])
            gained += level * (2 * totals[j, c] - level * totals[j, 3])
        place = j
        while place > 0 and coded[order[place - 1]] > coded[j]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = j
    palette, weights, row_of = np.empty((k, 3), np.uint8), np.zeros(k, np.int64), np.empty(k, np.uint8)
    row = -1
    for place in range(k):
        j = order[place]
        if place == 0 or coded[j] != coded[order[place - 1]]:
            row += 1
            for c in range(3):
                palette[row, c] = colors[j, c]
        row_of[j] = row
        weights[row] += totals[j, 3]
    return Arranged(palette[: row + 1].copy(), weights[: row + 1].copy(), row_of, gained)


def rgb_totals(table: ColorTable, clusters: ClusteredColors, space: Space) -> NDArray[np.int64]:
    """Return the clusters' sums and counts (k, 4) in RGB, exact."""
    if space == "rgb":
        return clusters.totals
    colors, counts = table.colors[table.visible].astype(np.int32), table.counts[table.visible]
    totals: NDArray[np.int64] = add_up(weigh(colors, counts).sums, clusters.labels, len(clusters.totals))
    return totals


def label_pixels(image: IndexedImage, clusters: ClusteredColors, arranged: Arranged) -> NDArray[np.uint8]:
    """Return the label map (H, W) uint8 of an image: the palette row of each pixel."""
    labels, row_of, table = clusters.labels, arranged.row_of, image.table
    if labels.size < len(table.colors):
        visible = row_of[labels]
        labels, row_of = _with_hidden(table, visible, arranged.palette), np.arange(256, dtype=np.uint8)
    label_map: NDArray[np.uint8] = look_up(image.index, labels, row_of)
    return label_map


def _with_hidden(table: ColorTable, visible: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the label of every colour of the table, given those of the visible ones: hidden ones get the nearest."""
    labels = np.empty(len(table.colors), np.uint8)
    positions = np.ascontiguousarray(table.colors.T.astype(np.float32))
    assign(positions, palette.astype(np.float32), labels, np.empty(labels.size, np.float32))
    labels[table.visible] = visible
    return labels


@kernel
def look_up(index: NDArray[np.uint32], labels: NDArray[np.uint8], row_of: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return row_of[labels][index] without the 8-byte copy of `index` that numpy's own lookup makes."""
    rows = np.empty(labels.size, np.uint8)
    for i in range(labels.size):
        rows[i] = row_of[labels[i]]
    found = np.empty(index.shape, np.uint8)
    for y in range(index.shape[0]):
        for x in range(index.shape[1]):
            found[y, x] = rows[index[y, x]]
    return found
