"""WebP: single pictures, and sweeps in which every frame is exact."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.fade import pixels_between
from flatpipe.encode.frames import Alpha, Canvas, EncodedFrame, Original, Picture, with_alpha

_METHOD = 0
# ^ of compression, 0 to 6: a third of the usual one's time for a tenth more bytes


def shown(original: Original) -> Picture:
    """The original, exact."""
    return original.pixels


def frame(picture: Picture, alpha: Alpha, milliseconds: int) -> EncodedFrame:
    """One frame of a lossless WebP, colours under zero opacity included."""
    pixels = with_alpha(picture, alpha)
    place = bytes(6) + _size(*pixels.shape[:2]) + _u24(min(milliseconds, 0xFFFFFF)) + b"\x02"
    # ^ 2: the frame replaces what is there, opacity included
    return EncodedFrame(_riff(b"ANMF", place + exact_webp(pixels)[12:]), milliseconds)


def fade(before: Picture, after: Picture, alpha: Alpha, n_frames: int, milliseconds: int) -> list[EncodedFrame]:
    """The frames between two pictures, exact."""
    return [frame(pixels, alpha, milliseconds) for pixels in pixels_between(before, after, n_frames)]


def join_frames(frames: Sequence[EncodedFrame], canvas: Canvas) -> bytes:
    """The WebP of encoded frames. Source: the WebP container specification, "Extended file format"."""
    flags = bytes([0x02 | 0x10 * canvas.has_alpha, 0, 0, 0])
    # ^ animation; alpha
    blocks = [_riff(b"VP8X", flags + _size(canvas.height, canvas.width)), _riff(b"ANIM", bytes(6))]
    # ^ ANIM: background transparent black, repeat without end
    return _riff(b"RIFF", b"".join([b"WEBP", *blocks, *(one.content for one in frames)]))


def exact_webp(pixels: NDArray[np.uint8]) -> bytes:
    """A WebP file of pixels (h, w, 3 or 4) uint8 without loss, colours under zero opacity included."""
    return _written(pixels, lossless=True, exact=True, quality=0)


def close_webp(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """A WebP file of pixels (h, w, 3 or 4) uint8, lossy; quality 0 to 100."""
    return _written(pixels, quality=quality)


def _written(pixels: NDArray[np.uint8], **options: Any) -> bytes:
    import imageio.v3 as iio

    # ^ late: most runs encode no WebP
    written: bytes = iio.imwrite("<bytes>", pixels, extension=".webp", method=_METHOD, **options)
    return written


def _size(height: int, width: int) -> bytes:
    return _u24(width - 1) + _u24(height - 1)


def _riff(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def _u24(value: int) -> bytes:
    return value.to_bytes(3, "little")
