"""How kernels are compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., object])


def kernel(function: _Function) -> _Function:
    """Return `function` compiled on its first call: free of the interpreter's lock, kept in a cache on disk.

    numba keeps its cache beside the module, or in the user's cache folder where that is read-only. Where no folder can
    be written to, every process compiles for itself. No fast-math: results must not depend on the machine.
    """
    try:
        compiled = njit(nogil=True, cache=True)(function)
        _key_by_sources(compiled)
    except RuntimeError:
        compiled = njit(nogil=True)(function)
    kernel_of: _Function = compiled
    return kernel_of


def _key_by_sources(compiled: Any) -> None:
    """Let the cache hold for these sources only, all of them.

    numba itself looks at the time of the one file that a kernel stands in. Kernels of other files are compiled into it,
    and after a change there it would go on with the old ones.
    """
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        index._source_stamp = source_digest()  # type: ignore[union-attr]


@cache
def source_digest() -> str:
    """Return the sha256 of the modules beside this one, hex."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
