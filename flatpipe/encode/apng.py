"""Animated PNG: sweeps in which every frame is exact."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import imageio.v3 as iio

from flatpipe.encode.frames import Original, timed_pictures
from flatpipe.encode.png import SIGNATURE, chunk, chunks
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import AnimationOptions

_LEVEL = 2
# ^ of compression: level 1 is no faster, level 6 takes 2.5 times as long for a tenth less


def encode_apng(flats: Iterable[PaletteImage], original: Original, options: AnimationOptions) -> bytes:
    """The sweep as animated PNG. Source: PNG specification, third edition, 11.3.6."""
    height, width = original.pixels.shape[:2]
    parts: list[bytes] = []
    n_frames = n_chunks = 0
    for picture in timed_pictures(flats, original, options):
        still = iio.imwrite("<bytes>", picture.pixels, extension=".png", compress_level=_LEVEL)
        content = b"".join(payload for kind, payload in chunks(still) if kind == b"IDAT")
        control = struct.pack(">5I2H2B", n_chunks, width, height, 0, 0, *_delay(picture.milliseconds), 0, 0)
        parts.append(chunk(b"fcTL", control))
        parts.append(chunk(b"fdAT", struct.pack(">I", n_chunks + 1) + content) if n_frames else chunk(b"IDAT", content))
        n_chunks += 2 if n_frames else 1
        n_frames += 1
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if original.alpha is None else 6, 0, 0, 0)
    head = [SIGNATURE, chunk(b"IHDR", header), chunk(b"acTL", struct.pack(">II", n_frames, 0))]
    return b"".join([*head, *parts, chunk(b"IEND", b"")])


def _delay(milliseconds: int) -> tuple[int, int]:
    """Duration as a fraction of a second whose parts fit into 16 bits."""
    return (milliseconds, 1000) if milliseconds <= 0xFFFF else (min((milliseconds + 500) // 1000, 0xFFFF), 1)
