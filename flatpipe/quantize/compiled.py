"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., object])


def kernel(function: _Function) -> _Function:
    """Return `function` compiled on its first call: free of the interpreter's lock, kept in a cache on disk.

    numba keeps its cache beside the module, or in the user's cache folder where that is read-only. Where no folder can
    be written to, every process compiles for itself. No fast-math: results must not depend on the machine.
    """
    try:
        compiled: _Function = njit(nogil=True, cache=True)(function)
    except RuntimeError:
        compiled = njit(nogil=True)(function)
    return compiled
