"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from numba import njit

from flatpipe.quantize.kernel_cache import KernelCache

_Function = TypeVar("_Function", bound=Callable[..., object])


def kernel(function: _Function) -> _Function:
    """Return `function` compiled on its first call: free of the interpreter's lock, kept in a cache on disk.

    The cache lies beside the module, or in the user's cache folder where that is read-only. Where no folder can be
    written to, every process compiles for itself. No fast-math: results must not depend on the machine.
    """
    compiled = njit(nogil=True)(function)
    with suppress(RuntimeError, OSError):
        compiled._cache = KernelCache(function)
    kernel_of: _Function = compiled
    return kernel_of
