"""The nearest colour of a palette, exactly: distances are whole numbers in either space; of equals the lowest row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import to_space
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.options import Space
from flatpipe.quantize.search.nearby import BLOCK, Nearby, find_nearby

_MARGIN = 4.0
# ^ in units of the space: far more than what float32 rounds off the distances by which distant colours are left out
_CHUNK = 1 << 18
# ^ colours whose coordinates are held at a time


def nearest_rows(colors: NDArray[np.uint8], palette: NDArray[np.uint8], space: Space) -> NDArray[np.uint8]:
    """Return the row of `palette` (k, 3) nearest to each of `colors` (n, 3), the lowest of equals; (n,) uint8.

    Any order is right; in Z-order, as colours of a table are, neighbours share what comes into question for them.
    """
    rows = np.empty(len(colors), np.uint8)
    targets = to_space(palette, space).astype(np.float64)
    # ^ holds the squares of whole numbers of either space exactly
    for first in range(0, len(colors), _CHUNK):
        places = slice(first, first + _CHUNK)
        coordinates = np.ascontiguousarray(to_space(colors[places], space).T.astype(np.float64))
        rows[places] = nearest_targets(coordinates, targets)
    return rows


def nearest_targets(coordinates: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the same for points at `coordinates` (3, n) and targets (k, 3) in one space."""
    rows = np.empty(coordinates.shape[1], np.uint8)
    nearby = find_nearby(coordinates.astype(np.float32), targets.astype(np.float32), _MARGIN)
    _find_nearest(coordinates, targets, nearby, rows)
    return rows


@kernel
def _find_nearest(
    coordinates: NDArray[np.float64], targets: NDArray[np.float64], nearby: Nearby, rows: NDArray[np.uint8]
) -> None:
    """Set `rows` (n,) to the nearest of `targets` (k, 3) for points at `coordinates` (3, n)."""
    everyone = np.arange(len(targets)).astype(np.uint8)
    distances = np.empty(BLOCK)
    for start in range(0, rows.size, BLOCK):
        stop, block = min(rows.size, start + BLOCK), start // BLOCK
        x, y, z = coordinates[0, start:stop], coordinates[1, start:stop], coordinates[2, start:stop]
        row, least = rows[start:stop], distances[: stop - start]
        least[:] = np.inf
        numbers = nearby.numbers[block, : nearby.counts[block]] if nearby.counts.size else everyone
        for j in numbers:
            cx, cy, cz = targets[j, 0], targets[j, 1], targets[j, 2]
            for i in range(stop - start):
                dx, dy, dz = x[i] - cx, y[i] - cy, z[i] - cz
                distance = dx * dx + dy * dy + dz * dz
                closer = distance < least[i]
                row[i] = j if closer else row[i]
                least[i] = distance if closer else least[i]


class Measured(NamedTuple):
    """What a palette makes of colours."""

    weights: NDArray[np.int64]
    # ^ (k,) counts of the colours in each row
    distortion: np.int64
    # ^ sum of count x squared RGB distance, exact


@kernel
def measure_rows(
    colors: NDArray[np.uint8], counts: NDArray[np.int64], palette: NDArray[np.uint8], rows: NDArray[np.uint8]
) -> Measured:
    """Return the weights and the distortion of colours (n, 3) with `counts` (n,) in these `rows` of `palette`."""
    weights, distortion = np.zeros(len(palette), np.int64), np.int64(0)
    for i in range(counts.size):
        weights[rows[i]] += counts[i]
        squared = np.int64(0)
        for c in range(3):
            squared += (np.int64(colors[i, c]) - np.int64(palette[rows[i], c])) ** 2
        distortion += counts[i] * squared
    return Measured(weights, distortion)
