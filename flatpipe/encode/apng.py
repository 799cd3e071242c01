"""Animated PNG: sweeps in which every frame is exact."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.frames import Alpha, Canvas, Original, with_alpha
from flatpipe.encode.png import SIGNATURE, chunk, chunks
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import AnimationOptions

_LEVEL = 2
# ^ of compression: level 1 is no faster, level 6 takes 2.5 times as long for a tenth less


def flat_frame(flat: PaletteImage, alpha: Alpha, _options: AnimationOptions) -> bytes:
    """The pixels of one flat frame, compressed."""
    return _compressed(with_alpha(flat.flat, alpha))


def last_frame(original: Original, _options: AnimationOptions) -> bytes:
    """The pixels of the original, compressed."""
    return _compressed(with_alpha(original.pixels, original.alpha))


def join_frames(frames: Sequence[bytes], canvas: Canvas, options: AnimationOptions) -> bytes:
    """The animated PNG of compressed frames. Source: PNG specification, third edition, 11.3.6."""
    parts: list[bytes] = []
    number = 0
    # ^ chunks that carry a sequence number so far
    for place, content in enumerate(frames):
        delay = _delay(options.hold_ms if place == len(frames) - 1 else options.frame_ms)
        parts.append(chunk(b"fcTL", struct.pack(">5I2H2B", number, canvas.width, canvas.height, 0, 0, *delay, 0, 0)))
        parts.append(chunk(b"fdAT", struct.pack(">I", number + 1) + content) if place else chunk(b"IDAT", content))
        number += 2 if place else 1
    header = struct.pack(">IIBBBBB", canvas.width, canvas.height, 8, 6 if canvas.has_alpha else 2, 0, 0, 0)
    head = [SIGNATURE, chunk(b"IHDR", header), chunk(b"acTL", struct.pack(">II", len(frames), 0))]
    return b"".join([*head, *parts, chunk(b"IEND", b"")])


def _compressed(pixels: NDArray[np.uint8]) -> bytes:
    still = iio.imwrite("<bytes>", pixels, extension=".png", compress_level=_LEVEL)
    return b"".join(payload for kind, payload in chunks(still) if kind == b"IDAT")


def _delay(milliseconds: int) -> tuple[int, int]:
    """Duration as a fraction of a second whose parts fit into 16 bits."""
    return (milliseconds, 1000) if milliseconds <= 0xFFFF else (min((milliseconds + 500) // 1000, 0xFFFF), 1)
