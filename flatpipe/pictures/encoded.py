"""Pixels as the bytes of small pictures: resized, flattened onto a ground, encoded."""

from __future__ import annotations

import io
import os
import struct
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.encode.deflate.stream import zlib_stream
from flatpipe.encode.frames import shrunk_size
from flatpipe.encode.png import png_file

_TRUECOLOR = 2
# ^ colour type of PNG (third edition), 11.2.1
_SQUARE = 8
# ^ pixels a side of the checkerboard that stands for transparency
_LARGE = 1 << 19
# ^ bytes of pixels that take Pillow about a millisecond
_CHECKER = np.array([204, 255], dtype=np.uint8)


def shrunk(pixels: NDArray[np.uint8] | Image.Image, max_side: int) -> NDArray[np.uint8]:
    """Pixels (h, w, channels) uint8 with no side over `max_side`, each the mean of what it covers; never larger."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    height, width = shrunk_size(image.height, image.width, max_side)
    if (height, width) == (image.height, image.width):
        return np.asarray(pixels)
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))


def on_checkerboard(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Pixels (h, w, 3) uint8 as they look on a grey checkerboard; alpha (h, w) uint8, None: unchanged."""
    if alpha is None:
        return pixels
    rows, columns = np.ogrid[: alpha.shape[0], : alpha.shape[1]]
    ground = _CHECKER[(rows // _SQUARE + columns // _SQUARE) % 2].astype(np.uint16)[..., np.newaxis]
    opacity = alpha.astype(np.uint16)[..., np.newaxis]
    shown: NDArray[np.uint8] = ((pixels * opacity + ground * (255 - opacity) + 127) // 255).astype(np.uint8)
    return shown


def jpeg_bytes(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """A JPEG file of pixels (h, w, 3) uint8, colour at full resolution so that flat edges stay clean."""
    with _memory_file(pixels.size) as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=0)
        file.seek(0)
        return file.read()


def _memory_file(size: int) -> BinaryIO:
    """A file in memory for a picture of so many bytes.

    Pillow lets go of the interpreter's lock only while it encodes to a file descriptor. For a small picture, having one
    costs more than it brings.
    """
    if size < _LARGE or not hasattr(os, "memfd_create"):
        return io.BytesIO()
    return open(os.memfd_create("picture"), "w+b")  # noqa: PTH123 - a descriptor


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of pixels (h, w, 3) or (h, w, 4) uint8, without loss; fast rather than small."""
    height, width, channels = pixels.shape
    color_type = _TRUECOLOR + 4 * (channels == 4)
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    return png_file([(b"IHDR", header), (b"IDAT", zlib_stream(rows, 8))])
