"""What dithering aims at: a palette in linear light, where colours mix, and where the nearest of its colours is sought.

The eye adds light, not sRGB levels: black and white in equal parts look like level 188, not 128. So what a pixel lacks
is counted and handed on in linear light; which palette colour is nearest is judged where distances mean something, in
sRGB levels or in Oklab. All of it in whole numbers: every machine gets the same picture.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import LMS_TO_LAB, RGB_TO_LMS, linear_light, srgb_levels
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.options import Space

Whole = NDArray[np.int32]

_BITS = 14
_FULL_LIGHT = 1 << _BITS
# ^ linear light of level 255; level 1 is 5 of it, and the curves below stay in the processor's cache
_PLACE_BITS = 16
_PLACE_UNIT = 8
# ^ steps per 8-bit level in which places are told: a squared distance with a row beside it is below 2^32


class Aim(NamedTuple):
    """A palette of n colours, and how the nearest one to linear light is found.

    Kernels unpack it before their loops: what a loop takes out of a tuple is counted as held, for longer than all else.
    """

    light: Whole
    # ^ (3, n) linear light of the colours
    lowest: Whole
    # ^ (3,) linear light that may be wanted at least
    highest: Whole
    light_of: Whole
    # ^ (256,) linear light of each level
    places: Whole
    # ^ (3, n) where the colours lie in the space in which distance is measured; to get there light is
    first: Whole
    # ^ (3, 3) mixed, in units of 1 / 2^14,
    curve: Whole
    # ^ (2^14 + 1,) curved,
    second: Whole
    # ^ (3, 3) and mixed again, in units of 1 / 2^16


def aim_at(palette: NDArray[np.uint8], space: Space, beyond: float) -> Aim:
    """Return the aim that `palette` (n, 3) uint8 is, with distance measured in `space`.

    What is wanted may lie outside the palette's range by `beyond` times it, in each channel. By nothing, errors are
    lost at its ends, and shadows turn grey; without an end, they pile up where no mixture reaches what is wanted.
    """
    light_of, way = _light_of(), _way(space)
    light = np.ascontiguousarray(light_of[palette].T)
    # ^ channel by channel in memory: `nearest` takes eight colours at a time
    lowest, highest = light.min(axis=1), light.max(axis=1)
    reach = ((highest - lowest) * beyond).astype(np.int32)
    return Aim(light, lowest - reach, highest + reach, light_of, _places(light, *way), *way)


@cache
def _light_of() -> Whole:
    return np.rint(linear_light(np.arange(256) / 255) * _FULL_LIGHT).astype(np.int32)


@cache
def _way(space: Space) -> tuple[Whole, Whole, Whole]:
    """Return `first`, `curve` and `second` of an aim."""
    light = np.arange(_FULL_LIGHT + 1) / _FULL_LIGHT
    if space == "rgb":
        curve = np.rint(srgb_levels(light) * _PLACE_UNIT).astype(np.int32)
        return np.eye(3, dtype=np.int32) << _BITS, curve, np.eye(3, dtype=np.int32) << _PLACE_BITS
    curve = np.rint(np.cbrt(light) * (_FULL_LIGHT // 2)).astype(np.int32)
    return _whole(RGB_TO_LMS, np.ones(3)), curve, _whole(LMS_TO_LAB, np.array([1, 0, 0]))
    # ^ Oklab's lightness from 0 to 2048: a level of grey is about 8, as in sRGB


def _whole(matrix: NDArray[np.float64], of_white: NDArray[np.float64]) -> Whole:
    """Return a matrix in units of 1 / 2^14, its rows adding up exactly to what becomes of white."""
    whole = np.rint(matrix * _FULL_LIGHT).astype(np.int32)
    whole[:, 1] += (of_white * _FULL_LIGHT).astype(np.int32) - whole.sum(axis=1, dtype=np.int32)
    return whole


@kernel
def _places(light: Whole, first: Whole, curve: Whole, second: Whole) -> Whole:
    """Return where colours of linear `light` (3, n) lie, (3, n)."""
    places = np.empty_like(light)
    for row in range(light.shape[1]):
        place = _place(light[0, row], light[1, row], light[2, row], first, curve, second)
        for c in range(3):
            places[c, row] = place[c]
    return places


@kernel
def _place(
    red: np.int64, green: np.int64, blue: np.int64, first: Whole, curve: Whole, second: Whole
) -> tuple[np.int64, np.int64, np.int64]:
    """Return where linear light lies; what is darker than black or brighter than white lies where these do."""
    r, g, b = _within(red), _within(green), _within(blue)
    x = np.int64(curve[(first[0, 0] * r + first[0, 1] * g + first[0, 2] * b) >> _BITS])
    y = np.int64(curve[(first[1, 0] * r + first[1, 1] * g + first[1, 2] * b) >> _BITS])
    z = np.int64(curve[(first[2, 0] * r + first[2, 1] * g + first[2, 2] * b) >> _BITS])
    return (
        (second[0, 0] * x + second[0, 1] * y + second[0, 2] * z) >> _PLACE_BITS,
        (second[1, 0] * x + second[1, 1] * y + second[1, 2] * z) >> _PLACE_BITS,
        (second[2, 0] * x + second[2, 1] * y + second[2, 2] * z) >> _PLACE_BITS,
    )


@kernel
def _within(light: np.int64) -> np.int64:
    return min(max(np.int64(light), np.int64(0)), np.int64(_FULL_LIGHT))


@kernel
def nearest(
    red: np.int64, green: np.int64, blue: np.int64, places: Whole, first: Whole, curve: Whole, second: Whole
) -> np.int64:
    """Return the palette row nearest to linear light, the lowest of equals; the rest is an aim's."""
    place = _place(red, green, blue, first, curve, second)
    x, y, z = np.int32(place[0]), np.int32(place[1]), np.int32(place[2])
    least = np.uint32(np.iinfo(np.uint32).max)
    for row in range(places.shape[1]):
        # plain enough for the compiler to take eight rows at a time
        dx, dy, dz = np.int32(places[0, row] - x), np.int32(places[1, row] - y), np.int32(places[2, row] - z)
        squared = np.int32(np.int32(np.int32(dx * dx) + np.int32(dy * dy)) + np.int32(dz * dz))
        least = min(least, np.uint32(np.uint32(np.uint32(squared) << np.uint32(8)) | np.uint32(row)))
    return np.int64(least & np.uint32(255))


@kernel
def wanted(light: np.int64, lacking: np.int64, lowest: np.int64, highest: np.int64) -> np.int64:
    """Return the linear light to look for where so much is lacking."""
    return min(max(np.int64(light) + np.int64(lacking), np.int64(lowest)), np.int64(highest))
