"""The Z-order curve through the colour cube: the bits of r, g and b taken in turn, most significant first.

G. M. Morton, "A computer oriented geodetic data base and a new technique in file sequencing", 1966.
"""

from __future__ import annotations

import numpy as np

from flatpipe.quantize.compiled import kernel

_SPREAD = np.array([sum((level >> bit & 1) << 3 * bit for bit in range(8)) for level in range(256)], np.uint32)
# ^ the bits of a level, three places apart


@kernel
def zorder(red: np.uint8, green: np.uint8, blue: np.uint8) -> np.uint64:
    """Return a colour's place on the curve, 24 bits."""
    return np.uint64((_SPREAD[red] << np.uint32(2)) | (_SPREAD[green] << np.uint32(1)) | _SPREAD[blue])


@kernel
def level_at(place: np.int64, channel: int) -> np.int64:
    """Return the 8-bit level of one channel (0 red, 1 green, 2 blue) at a place on the curve."""
    bits = (place >> (2 - channel)) & 0x249249
    bits = (bits | bits >> 2) & 0x0C30C3
    bits = (bits | bits >> 4) & 0x00F00F
    return (bits | bits >> 8) & 0xFF
