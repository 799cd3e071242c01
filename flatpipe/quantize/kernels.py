"""Compiling the kernels before the first image needs them."""

from __future__ import annotations

import numpy as np

from flatpipe.quantize.dither import dithered
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.options import FlattenOptions


def compile_kernels() -> None:
    """Compile every kernel, or load it from numba's cache on disk, by flattening and dithering a tiny image."""
    pixels = np.arange(40 * 40 * 3, dtype=np.uint32).reshape(40, 40, 3) * 2654435761 >> 24 & 255
    tiny = pixels.astype(np.uint8)
    flatten_pixels(tiny, 2, alpha=tiny[:, :, 0])
    flatten_pixels(tiny, 2, FlattenOptions(space="oklab"))
    dithered(tiny, 4)
