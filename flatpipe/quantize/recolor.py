"""Centroids -> label of each colour -> label map of the pixels, by lookup."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_table import ColorTable
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.options import Space
from flatpipe.quantize.pyramid import ColorPyramid, weigh
from flatpipe.quantize.search.filtering import filtered_lloyd
from flatpipe.quantize.search.kmeans import add_up, assign

_MAX_ROUNDS = 100
_TOL = {"rgb": 0.0, "oklab": 0.08}
# ^ in 8-bit levels, root mean square over pixels; in RGB means are rounded, and the iteration ends when none moves
_SLACK = 1.5
# ^ in 8-bit levels: most centroids end within it of where the search left them; with 3, twice as many are watched


class ClusteredColors(NamedTuple):
    """`labels` (n,) uint8: the cluster of each colour; `totals` (k, 4) int64: the clusters' sums and counts."""

    labels: NDArray[np.uint8]
    totals: NDArray[np.int64]


def cluster_colors(pyramid: ColorPyramid, centroids: NDArray[np.float64], space: Space) -> ClusteredColors:
    """Return the k non-empty clusters of all colours to which Lloyd's iteration leads from `centroids` (k, 3).

    In RGB every colour belongs to the nearest rounded mean, and every rounded mean is that of its colours. In Oklab the
    colours belong to the nearest mean. A centroid left without colours takes the one that adds most to distortion.
    """
    moved = centroids.astype(np.float32)
    tol, slack = _TOL[space] * pyramid.level_size, _SLACK * pyramid.level_size
    for _ in range(len(moved)):
        found = filtered_lloyd(pyramid.colors, pyramid.cells, moved, _MAX_ROUNDS, tol, slack, space == "rgb")
        clusters = ClusteredColors(*found)
        empty = np.flatnonzero(clusters.totals[:, 3] == 0)
        if empty.size == 0:
            break
        _occupy(pyramid, clusters.labels, moved, empty)
    return clusters


def _occupy(
    pyramid: ColorPyramid, labels: NDArray[np.uint8], palette: NDArray[np.float32], empty: NDArray[np.intp]
) -> None:
    """Move the `empty` rows of `palette` (k, 3), INOUT, to the colours with the largest count x squared distance."""
    positions, sums = pyramid.colors
    distortion = sums[:, 3] * ((positions.T - palette[labels]) ** 2).sum(axis=1)
    worst = np.argsort(-distortion, kind="stable")[: empty.size]
    palette[empty[: worst.size]] = positions[:, worst].T


def exact_distortion(table: ColorTable, clusters: ClusteredColors, colors: NDArray[np.uint8], space: Space) -> int:
    """Return the exact distortion in RGB of painting each of `clusters` in its one of `colors` (k, 3) uint8."""
    totals = clusters.totals
    if space != "rgb":
        counts = table.counts[table.visible]
        totals = add_up(weigh(table.colors[table.visible].astype(np.int32), counts).sums, clusters.labels, len(colors))
    painted = colors.astype(np.int64)
    along, squares = (painted * totals[:, :3]).sum(), ((painted * painted).sum(axis=1) * totals[:, 3]).sum()
    return table.energy - 2 * int(along) + int(squares)


def label_table(table: ColorTable, visible: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the label of every colour of the table, given those of the visible ones: hidden ones get the nearest."""
    if visible.size == len(table.colors):
        return visible
    labels = np.empty(len(table.colors), np.uint8)
    positions = np.ascontiguousarray(table.colors.T.astype(np.float32))
    assign(positions, palette.astype(np.float32), labels, np.empty(labels.size, np.float32))
    labels[table.visible] = visible
    return labels


def label_pixels(index: NDArray[np.uint32], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the label map (H, W) uint8 of an image: `labels` (n,) uint8 of each table row, looked up at each pixel."""
    label_map: NDArray[np.uint8] = _look_up(index.reshape(-1), labels)
    return label_map.reshape(index.shape)


@kernel
def _look_up(index: NDArray[np.uint32], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return labels[index] without the 8-byte copy of `index` that numpy's own lookup makes."""
    found = np.empty(index.size, np.uint8)
    for i in range(index.size):
        found[i] = labels[index[i]]
    return found


@kernel
def renumber(labels: NDArray[np.uint8], row_of: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return row_of[labels]."""
    found = np.empty(labels.size, np.uint8)
    for i in range(labels.size):
        found[i] = row_of[labels[i]]
    return found
