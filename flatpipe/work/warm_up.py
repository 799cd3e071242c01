"""Compiling before the work begins, so that workers load kernels from the cache instead of each compiling its own."""

from __future__ import annotations

import numpy as np

from flatpipe.encode.lzw import lzw_blocks
from flatpipe.quantize.kernels import compile_kernels


def warm_up() -> None:
    """Compile every kernel, or load it from numba's cache on disk."""
    compile_kernels()
    lzw_blocks(np.zeros((1, 2), np.uint8), 2)


def warm_up_cached() -> None:
    """Load every kernel."""
    warm_up()
