"""Animated PNG: sweeps in which every frame is exact."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.fade import pixels_between
from flatpipe.encode.frames import Alpha, Canvas, EncodedFrame, Original, Picture, with_alpha
from flatpipe.encode.png import SIGNATURE, chunk, chunks

_LEVEL = 2
# ^ of compression: level 1 is no faster, level 6 takes 2.5 times as long for a tenth less


def shown(original: Original) -> Picture:
    """The original, exact."""
    return original.pixels


def frame(picture: Picture, alpha: Alpha, milliseconds: int) -> EncodedFrame:
    """A picture's pixels, compressed."""
    return EncodedFrame(_compressed(with_alpha(picture, alpha)), milliseconds)


def fade(before: Picture, after: Picture, alpha: Alpha, n_frames: int, milliseconds: int) -> list[EncodedFrame]:
    """The frames between two pictures, exact."""
    return [frame(pixels, alpha, milliseconds) for pixels in pixels_between(before, after, n_frames)]


def join_frames(frames: Sequence[EncodedFrame], canvas: Canvas) -> bytes:
    """The animated PNG of compressed frames. Source: PNG specification, third edition, 11.3.6."""
    parts: list[bytes] = []
    number = 0
    # ^ chunks that carry a sequence number so far
    for place, one in enumerate(frames):
        control = (number, canvas.width, canvas.height, 0, 0, *_delay(one.milliseconds), 0, 0)
        parts.append(chunk(b"fcTL", struct.pack(">5I2H2B", *control)))
        data = chunk(b"fdAT", struct.pack(">I", number + 1) + one.content) if place else chunk(b"IDAT", one.content)
        parts.append(data)
        number += 2 if place else 1
    header = struct.pack(">IIBBBBB", canvas.width, canvas.height, 8, 6 if canvas.has_alpha else 2, 0, 0, 0)
    head = [SIGNATURE, chunk(b"IHDR", header), chunk(b"acTL", struct.pack(">II", len(frames), 0))]
    return b"".join([*head, *parts, chunk(b"IEND", b"")])


def _compressed(pixels: NDArray[np.uint8]) -> bytes:
    import imageio.v3 as iio

    # ^ late: most runs encode no APNG
    still = iio.imwrite("<bytes>", pixels, extension=".png", compress_level=_LEVEL)
    return b"".join(payload for kind, payload in chunks(still) if kind == b"IDAT")


def _delay(milliseconds: int) -> tuple[int, int]:
    """Duration as a fraction of a second whose parts fit into 16 bits."""
    return (milliseconds, 1000) if milliseconds <= 0xFFFF else (min((milliseconds + 500) // 1000, 0xFFFF), 1)
