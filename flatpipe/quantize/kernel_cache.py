"""Compiled kernels kept between processes: one file each, believed only when it is whole and of these very sources.

Of numba's cache everything is used but its files. Those look at the time of the one file that a kernel stands in, and
so go on with kernels of other files that were compiled into it; a damaged index stops the program; and two processes
that compile at once may give two kernels one file. A file here begins with a digest of all that its kernel depends on
and of its own bytes: what is stale or damaged is not found, the kernel is compiled and the file replaced.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.caching import FunctionCache
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

_DIGEST_BYTES = 32


class KernelCache(FunctionCache):
    """numba's cache of one function over files of ours. Whatever fails in it, the kernel is compiled instead.

    Raises RuntimeError and OSError when no folder can be written to, or the function has no source file.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__(function)
        source = Path(inspect.getfile(function))
        self._cache_file = _KernelFiles(Path(self.cache_path), f"{source.stem}.{function.__name__}", stamp_of(source))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function for a signature; None where there is none that can be used."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001 - disk, pickle, LLVM: a cache fails in any way, and nothing depends on it
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled function if that is possible."""
        with suppress(Exception):
            # ^ as above: the next process compiles again
            super().save_overload(sig, data)


def note(part: Callable[..., object]) -> None:
    """Note beside the kernels that calling `part` has compiled all of its own, if anything can be kept there."""
    with suppress(Exception):
        # ^ as above: the next process compiles again
        KernelCache(part)._cache_file.save(_processor(), True)


def is_noted(part: Callable[..., object]) -> bool:
    """Whether that was noted for these sources, this processor, this Python; true where nothing can be kept."""
    try:
        return bool(KernelCache(part)._cache_file.load(_processor()))
    except RuntimeError:
        return True
        # ^ no folder to keep anything in: compiling beforehand would help nobody
    except Exception:  # noqa: BLE001 - as above
        return False


def _processor() -> str:
    return repr(cpu_target.target_context.codegen().magic_tuple())


class _KernelFiles:
    """The files of one kernel, `folder`/`name`.*.kernel: one for each signature, processor and Python."""

    def __init__(self, folder: Path, name: str, stamp: str) -> None:
        self._folder, self._name, self._stamp = folder, name, stamp

    def load(self, key: object) -> Any:
        """Return what was saved under `key` for the same sources, whole; None when there is no such thing."""
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        return pickle.loads(payload) if digest == self._digest(key, payload) else None  # noqa: S301 - written by `save`

    def save(self, key: object, data: object) -> None:
        """Write `data` whole, or raise OSError and leave nothing."""
        payload, path = dumps(data), self._path(key)
        handle, partial = tempfile.mkstemp(prefix=f"{path.name}.", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._digest(key, payload) + payload)
            Path(partial).replace(path)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise

    def flush(self) -> None:
        """Forget everything about the kernel."""
        for path in self._folder.glob(f"{self._name}.*.kernel"):
            path.unlink(missing_ok=True)

    def _path(self, key: object) -> Path:
        which = hashlib.sha256(f"{sys.implementation.cache_tag} {key!r}".encode()).hexdigest()
        return self._folder / f"{self._name}.{which[:16]}.kernel"

    def _digest(self, key: object, payload: bytes) -> bytes:
        return hashlib.sha256(f"{self._stamp} {key!r} ".encode() + payload).digest()


def stamp_of(source: Path) -> str:
    """Return what a kernel in the file `source` depends on beside its signature and processor.

    That is the file, all of this folder, and the versions of numba and NumPy. A file with kernels takes nothing of
    flatpipe from elsewhere (tests/test_architecture.py), so no constant that is compiled in comes from another file.
    """
    return f"{_core_digest()} {hashlib.sha256(source.read_bytes()).hexdigest()} {numba.__version__} {np.__version__}"


@cache
def _core_digest() -> str:
    """Return the sha256 of the modules beside this one and below, hex."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
