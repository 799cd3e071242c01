"""Weighted k-means: Lloyd's iteration with exact integer sums.

Sums of count x coordinate are int64, so a centroid does not depend on the order in which points were added, nor on the
number of threads or the width of the processor's registers. Distances are float32, which is exact between colours; no
fast-math: every machine computes the same.

S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28, 1982.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.pyramid import Points

_BLOCK = 1024
# ^ points whose distances are compared at a time: they stay in the first-level cache; 256 and 4096 are slower
FLOAT_MAX = np.float32(np.finfo(np.float32).max)


@kernel
def lloyd(points: Points, centroids: NDArray[np.float32], max_rounds: int, tol: float, pinned: int) -> float:
    """Move `centroids` (k, 3), INOUT, until their RMS shift per pixel is `tol`; return what they gain: see `gained`.

    The first `pinned` of them stay where they are.
    """
    labels, fresh = np.empty(len(points.sums), np.uint8), np.empty(len(points.sums), np.uint8)
    squared = np.empty(labels.size, np.float32)
    assign(points.positions, centroids, labels, squared)
    totals = add_up(points.sums, labels, len(centroids))
    for _ in range(max_rounds):
        if move_to_means(totals, centroids, False, pinned) <= tol * tol:
            break
        assign(points.positions, centroids, fresh, squared)
        move_points(points.sums, labels, fresh, totals)
    found: float = gained(totals, centroids, pinned)
    return found


@kernel
def assign(
    positions: NDArray[np.float32],
    centroids: NDArray[np.float32],
    labels: NDArray[np.uint8],
    squared: NDArray[np.float32],
) -> None:
    """Set `labels` (n,) to each point's nearest centroid, the lowest of equals, `squared` to the squared distance."""
    for start in range(0, labels.size, _BLOCK):
        stop = min(labels.size, start + _BLOCK)
        x, y, z = positions[0, start:stop], positions[1, start:stop], positions[2, start:stop]
        label, least = labels[start:stop], squared[start:stop]
        label[:] = 0
        least[:] = FLOAT_MAX
        for j in range(len(centroids)):
            cx, cy, cz = centroids[j, 0], centroids[j, 1], centroids[j, 2]
            for i in range(stop - start):
                # without a branch, the compiler compares many points at once
                dx, dy, dz = x[i] - cx, y[i] - cy, z[i] - cz
                distance = dx * dx + dy * dy + dz * dz
                closer = distance < least[i]
                label[i] = j if closer else label[i]
                least[i] = distance if closer else least[i]


@kernel
def assign_two(
    positions: NDArray[np.float32],
    centroids: NDArray[np.float32],
    labels: NDArray[np.uint8],
    squared: NDArray[np.float32],
    second: NDArray[np.float32],
) -> None:
    """Do as `assign`, and set `second` (n,) to the squared distance of the nearest other centroid."""
    for start in range(0, labels.size, _BLOCK):
        stop = min(labels.size, start + _BLOCK)
        x, y, z = positions[0, start:stop], positions[1, start:stop], positions[2, start:stop]
        label, least, next_least = labels[start:stop], squared[start:stop], second[start:stop]
        label[:] = 0
        least[:] = FLOAT_MAX
        next_least[:] = FLOAT_MAX
        for j in range(len(centroids)):
            cx, cy, cz = centroids[j, 0], centroids[j, 1], centroids[j, 2]
            for i in range(stop - start):
                dx, dy, dz = x[i] - cx, y[i] - cy, z[i] - cz
                distance = dx * dx + dy * dy + dz * dz
                closer = distance < least[i]
                label[i] = j if closer else label[i]
                next_least[i] = least[i] if closer else min(next_least[i], distance)
                least[i] = distance if closer else least[i]


@kernel
def copy_rows(source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
    """Set `target` (k, 3) to `source`. A loop, because numba compiles an assignment of arrays ten times as long."""
    for j in range(len(source)):
        for c in range(3):
            target[j, c] = source[j, c]


@kernel
def add_up(sums: NDArray[np.int64], labels: NDArray[np.uint8], k: int) -> NDArray[np.int64]:
    """Return the exact totals (k, 4) of `sums` (n, 4) by label (n,).

    Four tables take a point each in turn: neighbours are alike, and each would wait for the sum just written.
    """
    parts, whole = np.zeros((4 * k, 4), np.int64), labels.size // 4 * 4
    for i in range(0, whole, 4):
        for part in range(4):
            row = part * k + labels[i + part]
            for c in range(4):
                parts[row, c] += sums[i + part, c]
    for i in range(whole, labels.size):
        for c in range(4):
            parts[labels[i], c] += sums[i, c]
    totals = np.empty((k, 4), np.int64)
    for j in range(k):
        for c in range(4):
            totals[j, c] = parts[j, c] + parts[k + j, c] + parts[2 * k + j, c] + parts[3 * k + j, c]
    return totals


@kernel
def move_points(
    sums: NDArray[np.int64], labels: NDArray[np.uint8], fresh: NDArray[np.uint8], totals: NDArray[np.int64]
) -> None:
    """Bring `totals` (k, 4) and `labels` (n,), INOUT, up to the `fresh` labels; few points change in a late round."""
    for i in range(labels.size):
        old, new = labels[i], fresh[i]
        if old != new:
            labels[i] = new
            for c in range(4):
                totals[old, c] -= sums[i, c]
                totals[new, c] += sums[i, c]


@kernel
def move_to_means(totals: NDArray[np.int64], centroids: NDArray[np.float32], whole: bool, pinned: int) -> float:
    """Move each of `centroids` (k, 3), INOUT, to the mean of its cluster; return the mean squared shift per pixel.

    It is also what the move takes off the distortion per pixel. With `whole` they move to the rounded mean. Centroids
    of empty clusters stay, and the first `pinned` ones.
    """
    taken_off, weight = 0.0, 0.0
    for j in range(len(centroids)):
        if totals[j, 3] > 0:
            shift = 0.0
            for c in range(3 if j >= pinned else 0):
                mean = totals[j, c] / totals[j, 3]
                target = np.float32(np.rint(mean) if whole else mean)
                shift += (target - centroids[j, c]) ** 2
                centroids[j, c] = target
            taken_off += totals[j, 3] * shift
            weight += totals[j, 3]
    return taken_off / weight


@kernel
def gained(totals: NDArray[np.int64], centroids: NDArray[np.float32], pinned: int) -> float:
    """Return what clusters of these `totals` (k, 4) gain: the energy of the colours minus the distortion around them.

    Each is taken around its mean, where its centroid belongs, and the first `pinned` ones around `centroids` (k, 3).
    About a mean it is count x its squared length: the sum of squares between clusters, taken about the origin, where
    the textbooks' is about the mean of all; the two differ by a constant. The larger the better, in every sketch.
    """
    total = 0.0
    for j in range(len(totals)):
        if j < pinned:
            for c in range(3):
                total += centroids[j, c] * (2.0 * totals[j, c] - centroids[j, c] * np.float64(totals[j, 3]))
        elif totals[j, 3] > 0:
            length = 0.0
            for c in range(3):
                length += float(totals[j, c]) ** 2
            total += length / totals[j, 3]
    return total
