"""Blue-noise dithering: which colour of its mixture a pixel shows is told by its place, so nothing crawls from k to k.

Each colour of an image becomes a mixture of palette colours: what error diffusion makes of 64 such pixels in a row. So
any palette serves, evenly spaced or not. A threshold map without low frequencies then says which of the 64, from dark
to light, each pixel shows (T. Knoll's "pattern dithering", US 6606166, expired, with such a map).

R. Ulichney, "The void-and-cluster method for dither array generation", 1993.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.dithering.aim import Aim, nearest, wanted

SIDE = 64
# ^ pixels after which the map repeats: 16 shows as a pattern, 128 takes sixteen times as long to make
PARTS = 64
# ^ pixels that a mixture is made of: with 32, black and white have no grey below level 49, with 64 none below 34
_SIGMA = 1.5
# ^ pixels: the width at which clusters and voids are seen, that of the paper
_FIRST = SIDE * SIDE // 10
# ^ pixels of the pattern from which all others grow


@cache
def threshold_map() -> NDArray[np.uint16]:
    """Return the map (64, 64): each number below 4096 once, near ones far from each other. Made in 20 ms."""
    away = np.arange(SIDE)
    away = np.minimum(away, SIDE - away)
    squared = away[:, None] ** 2 + away**2
    weights = np.rint(np.exp(-squared / (2 * _SIGMA**2)) * (1 << 20)).astype(np.int64)
    # ^ whole numbers, so that every machine gets the same map
    return _void_and_cluster(weights)


@kernel
def _void_and_cluster(weights: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Return the order in which pixels are set, each into the largest void; `weights` are those of distances."""
    crowd = np.zeros((SIDE, SIDE), np.int64)
    is_set = np.zeros((SIDE, SIDE), np.bool_)
    for i in range(_FIRST):
        place = np.int64(i * 2654435761 % (SIDE * SIDE))
        _put(place, 1, crowd, is_set, weights)
    while True:
        cluster = _extreme(crowd, is_set, True)
        _put(cluster, -1, crowd, is_set, weights)
        void = _extreme(crowd, is_set, False)
        _put(void, 1, crowd, is_set, weights)
        if void == cluster:
            break
    ranks = np.zeros(SIDE * SIDE, np.uint16)
    crowd_then, set_then = crowd.copy(), is_set.copy()
    for rank in range(_FIRST - 1, -1, -1):
        cluster = _extreme(crowd, is_set, True)
        _put(cluster, -1, crowd, is_set, weights)
        ranks[cluster] = rank
    for rank in range(_FIRST, SIDE * SIDE):
        void = _extreme(crowd_then, set_then, False)
        _put(void, 1, crowd_then, set_then, weights)
        ranks[void] = rank
    return ranks.reshape(SIDE, SIDE)


@kernel
def _put(
    place: np.int64, sign: int, crowd: NDArray[np.int64], is_set: NDArray[np.bool_], weights: NDArray[np.int64]
) -> None:
    """Set the pixel at a place, or with sign -1 clear it; `crowd` and `is_set` are INOUT."""
    row, column = place // SIDE, place % SIDE
    is_set[row, column] = sign > 0
    for y in range(SIDE):
        for x in range(SIDE):
            crowd[y, x] += sign * weights[(y - row) & (SIDE - 1), (x - column) & (SIDE - 1)]


@kernel
def _extreme(crowd: NDArray[np.int64], is_set: NDArray[np.bool_], among_set: bool) -> np.int64:
    """Return the place of the set pixel in the thickest crowd, or of the clear one in the thinnest; first of equals."""
    best, found = np.int64(0), np.int64(-1)
    for y in range(SIDE):
        for x in range(SIDE):
            density = crowd[y, x] if among_set else -crowd[y, x]
            if is_set[y, x] == among_set and (found < 0 or density > best):
                best, found = density, np.int64(y * SIDE + x)
    return found


@kernel
def mixtures(colors: NDArray[np.uint8], order: NDArray[np.int64], aim: Aim) -> NDArray[np.uint8]:
    """Return the palette rows that each of `colors` (n, 3) is mixed of, (n, 64).

    `order` are the palette's rows from dark to light, and so are the parts.
    """
    light, lowest, highest, light_of, places, first, curve, second = aim
    found = np.empty((len(colors), PARTS), np.uint8)
    n_parts = np.zeros(order.size, np.int64)
    for i in range(len(colors)):
        red = green = blue = np.int64(0)
        # ^ what the parts so far lack
        for _ in range(PARTS):
            red = wanted(light_of[colors[i, 0]], red, lowest[0], highest[0])
            green = wanted(light_of[colors[i, 1]], green, lowest[1], highest[1])
            blue = wanted(light_of[colors[i, 2]], blue, lowest[2], highest[2])
            row = nearest(red, green, blue, places, first, curve, second)
            n_parts[row] += 1
            red, green, blue = red - light[0, row], green - light[1, row], blue - light[2, row]
        filled = 0
        for row in order:
            for part in range(filled, filled + n_parts[row]):
                found[i, part] = row
            filled += n_parts[row]
            n_parts[row] = 0
    return found


@kernel
def show_mixtures(
    index: NDArray[np.uint32],
    opacity: NDArray[np.uint8],
    rows: NDArray[np.uint8],
    mixed: NDArray[np.uint8],
    thresholds: NDArray[np.uint16],
) -> NDArray[np.uint8]:
    """Return the palette row (H, W) that each pixel shows of the mixture mixed[index].

    `opacity` is (H, W), or empty where all are opaque: that of hidden pixels is rows[index].
    """
    height, width = index.shape
    label_map = np.empty((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            if opacity.size and opacity[y, x] == 0:
                label_map[y, x] = rows[index[y, x]]
            else:
                label_map[y, x] = mixed[index[y, x], thresholds[y & (SIDE - 1), x & (SIDE - 1)] * PARTS // SIDE**2]
    return label_map
