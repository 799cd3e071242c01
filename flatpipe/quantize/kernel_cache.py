"""Compiled kernels kept between processes: one file each, believed only when it is whole and of these very sources.

A file begins with a digest of all that its kernel depends on and of its own bytes: what is stale or damaged is not
found, the kernel is compiled and the file replaced. numba's own cache is not used: it looks at the time of the one file
that a kernel stands in, and so goes on with kernels of other files that were compiled into it; a damaged index stops
the program; two processes that compile at once may give two kernels one file; and it needs numba to be read.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flatpipe.quantize.machine_code import compiler_versions, processor

_DIGEST_BYTES = 32


@dataclass(frozen=True)
class KernelFiles:
    """The files of one kernel, `name`.*.kernel: one for each list of argument types, processor and Python.

    Whatever fails in here, the kernel is compiled instead.
    """

    folders: tuple[Path, ...]
    # ^ where they may lie: looked for in each, written to the first that can be
    name: str
    stamp: str

    @classmethod
    def of(cls, function: Callable[..., object]) -> KernelFiles:
        """Return the files of a function; nowhere where it has no source file."""
        try:
            source = Path(inspect.getfile(function))
            return cls(tuple(_folders(source)), f"{source.stem}.{function.__name__}", stamp_of(source))
        except (OSError, TypeError):
            return cls((), function.__name__, "")

    def load(self, key: str) -> Any:
        """Return what was saved under `key` for the same sources and processor, whole; None for no such thing."""
        for path in self._paths(key):
            with suppress(Exception):
                # ^ disk, pickle, a class that is gone: a cache fails in any way, and nothing depends on it
                content = path.read_bytes()
                digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
                if digest == self._digest(key, payload):
                    return pickle.loads(payload)  # noqa: S301 - written by `save`
        return None

    def save(self, key: str, data: object) -> bool:
        """Write `data` whole where that is possible, or leave nothing; whether it was."""
        for path in self._paths(key):
            with suppress(Exception):
                # ^ as above: the next process compiles again
                payload = pickle.dumps(data)
                path.parent.mkdir(parents=True, exist_ok=True)
                _put(path, self._digest(key, payload) + payload)
                return True
        return False

    def can_keep(self) -> bool:
        """Whether there is a folder that takes a file."""
        for folder in self.folders:
            with suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=folder).close()
                return True
        return False

    def _paths(self, key: str) -> Iterator[Path]:
        which = hashlib.sha256(f"{sys.implementation.cache_tag} {processor()} {key}".encode()).hexdigest()
        return (folder / f"{self.name}.{which[:16]}.kernel" for folder in self.folders)

    def _digest(self, key: str, payload: bytes) -> bytes:
        return hashlib.sha256(f"{self.stamp} {processor()} {key} ".encode() + payload).digest()


def note(part: Callable[..., object]) -> None:
    """Note beside the kernels that calling `part` has compiled all of its own, if anything can be kept there."""
    KernelFiles.of(part).save("", True)


def is_noted(part: Callable[..., object]) -> bool:
    """Whether that was noted for these sources, this processor, this Python; true where nothing can be kept.

    There compiling beforehand would help nobody.
    """
    files = KernelFiles.of(part)
    return bool(files.load("")) or not files.can_keep()


def stamp_of(source: Path) -> str:
    """Return what a kernel in the file `source` depends on beside its signature and processor.

    That is the files beside it and below, all of this folder, and the versions of what compiles. A file with kernels
    takes nothing of flatpipe from elsewhere (tests/test_architecture.py), so no kernel or constant that is compiled in
    comes from another file.
    """
    files = (*sorted(Path(__file__).parent.rglob("*.py")), *sorted(source.parent.rglob("*.py")))
    return f"{_digest_of(files)} {compiler_versions()}"


@cache
def _digest_of(files: tuple[Path, ...]) -> str:
    """Return the sha256 of what the files hold, hex."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _folders(source: Path) -> Iterator[Path]:
    """Where files of kernels in `source` may lie: where the user wants them, or beside it, or in the user's cache."""
    wanted = os.environ.get("NUMBA_CACHE_DIR")
    own = f"{source.parent.name}_{hashlib.sha256(bytes(source.parent)).hexdigest()[:32]}"
    if wanted:
        yield Path(wanted) / own
        return
    yield source.parent / "__pycache__"
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - raises nothing
    yield Path(home) / "flatpipe" / own


def _put(path: Path, content: bytes) -> None:
    handle, partial = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
