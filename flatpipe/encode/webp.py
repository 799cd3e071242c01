"""WebP: single pictures, and sweeps in which every frame is exact."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.frames import Original, timed_pictures
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import AnimationOptions

_METHOD = 0
# ^ of compression, 0 to 6: a third of the usual one's time for a tenth more bytes


def encode_webp(flats: Iterable[PaletteImage], original: Original, options: AnimationOptions) -> bytes:
    """The sweep as lossless WebP, colours under zero opacity included.

    Source: the WebP container specification, "Extended file format".
    """
    height, width = original.pixels.shape[:2]
    size = _u24(width - 1) + _u24(height - 1)
    flags = bytes([0x02 | 0x10 * (original.alpha is not None), 0, 0, 0])
    # ^ animation; alpha
    blocks = [_riff(b"VP8X", flags + size), _riff(b"ANIM", bytes(6))]
    # ^ ANIM: background transparent black, repeat without end
    for picture in timed_pictures(flats, original, options):
        place = bytes(6) + size + _u24(min(picture.milliseconds, 0xFFFFFF)) + b"\x02"
        # ^ 2: the frame replaces what is there, opacity included
        blocks.append(_riff(b"ANMF", place + exact_webp(picture.pixels)[12:]))
    return _riff(b"RIFF", b"WEBP" + b"".join(blocks))


def exact_webp(pixels: NDArray[np.uint8]) -> bytes:
    """A WebP file of pixels (h, w, 3 or 4) uint8 without loss, colours under zero opacity included."""
    return iio.imwrite("<bytes>", pixels, extension=".webp", lossless=True, exact=True, method=_METHOD, quality=0)


def close_webp(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """A WebP file of pixels (h, w, 3 or 4) uint8, lossy; quality 0 to 100."""
    return iio.imwrite("<bytes>", pixels, extension=".webp", method=_METHOD, quality=quality)


def _riff(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def _u24(value: int) -> bytes:
    return value.to_bytes(3, "little")
