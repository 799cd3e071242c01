"""Compiled kernels kept between processes: one file each, believed only when it is whole and of these very sources.

A file begins with a digest of all that its kernel depends on and of its own bytes: what is stale or damaged is not
found, the kernel is compiled and the file replaced. numba's own cache is not used: it looks at the time of the one file
that a kernel stands in, and so goes on with kernels of other files that were compiled into it; a damaged index stops
the program; two processes that compile at once may give two kernels one file; and it needs numba to be read.
"""

from __future__ import annotations

import errno
import hashlib
import inspect
import os
import pickle
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flatpipe.quantize.machine_code import compiler_versions, processor

_DIGEST_BYTES = 32
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_TEMPORARY, _TRIED = "flatpipe-kernels-", ".tried"
# ^ how names of temporary folders begin, and of files that are put somewhere to find out whether they can be


@dataclass(frozen=True)
class KernelFolder:
    """A folder with files of kernels, which are code: none is believed that another user may have put there.

    It is looked at once it is open, so that it cannot become another one meanwhile.
    """

    path: Path
    is_beside: bool = False
    # ^ beside the sources: who can write there can change these too

    def read(self, name: str) -> bytes:
        """Return what a file holds; raises OSError, also for what is not this user's own."""
        with self._opened() as folder:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            with os.fdopen(handle, "rb") as file:
                self._check(os.fstat(handle))
                return file.read()

    def put(self, name: str, content: bytes) -> None:
        """Make or replace a file, whole; raises OSError and leaves nothing."""
        self.path.mkdir(mode=0o777 if self.is_beside else 0o700, parents=True, exist_ok=True)
        partial = f"{name}.{secrets.token_hex(8)}"
        with self._opened() as folder:
            handle = os.open(partial, _NEW, 0o666 if self.is_beside else 0o600, dir_fd=folder)
            # ^ others may use what is installed for all
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                os.rename(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                os.unlink(partial, dir_fd=folder)
                raise

    def can_take(self) -> bool:
        """Whether a file can be put here."""
        tried = f"{_TRIED}.{secrets.token_hex(8)}"
        # ^ of this process alone: others may ask at the same moment, and remove theirs
        with suppress(OSError):
            self.put(tried, b"")
            with self._opened() as folder:
                os.unlink(tried, dir_fd=folder)
            return True
        return False

    @contextmanager
    def _opened(self) -> Iterator[int]:
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._check(os.fstat(folder))
            yield folder
        finally:
            os.close(folder)

    def _check(self, status: os.stat_result) -> None:
        if not self.is_beside and (status.st_uid not in (0, os.geteuid()) or status.st_mode & _WRITABLE_BY_OTHERS):
            raise PermissionError(errno.EPERM, "another user may write here", str(self.path))


@dataclass(frozen=True)
class KernelFiles:
    """The files of one kernel, `name`.*.kernel: one for each list of argument types, processor and Python.

    Whatever fails in here, the kernel is compiled instead.
    """

    source: Path | None
    # ^ where the kernel stands
    name: str
    stamp: str

    @classmethod
    def of(cls, function: Callable[..., object]) -> KernelFiles:
        """Return the files of a function; nowhere where it has no source file."""
        try:
            source = Path(inspect.getfile(function))
            return cls(source, f"{source.stem}.{function.__name__}", stamp_of(source))
        except (OSError, TypeError):
            return cls(None, function.__name__, "")

    def load(self, key: str) -> Any:
        """Return what was saved under `key` for the same sources and processor, whole; None for no such thing."""
        for folder in self._folders():
            with suppress(Exception):
                # ^ disk, pickle, a class that is gone: a cache fails in any way, and nothing depends on it
                content = folder.read(self._file(key))
                digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
                if digest == self._digest(key, payload):
                    return pickle.loads(payload)  # noqa: S301 - written by `save`
        return None

    def save(self, key: str, data: object) -> bool:
        """Write `data` whole where that is possible, or leave nothing; whether it was."""
        for folder in self._folders():
            with suppress(Exception):
                # ^ as above: the next process compiles again
                payload = pickle.dumps(data)
                folder.put(self._file(key), self._digest(key, payload) + payload)
                return True
        return False

    def place(self) -> Path | None:
        """Return the folder that takes a file, None where there is none."""
        return next((folder.path for folder in self._folders() if folder.can_take()), None)

    def _folders(self) -> Iterable[KernelFolder]:
        return () if self.source is None else _folders(self.source)

    def _file(self, key: str) -> str:
        which = hashlib.sha256(f"{sys.implementation.cache_tag} {processor()} {key}".encode()).hexdigest()
        return f"{self.name}.{which[:16]}.kernel"

    def _digest(self, key: str, payload: bytes) -> bytes:
        return hashlib.sha256(f"{self.stamp} {processor()} {key} ".encode() + payload).digest()


def note(part: Callable[..., object]) -> None:
    """Note beside the kernels that calling `part` has compiled all of its own, if anything can be kept there."""
    KernelFiles.of(part).save("", True)


def is_noted(part: Callable[..., object]) -> bool:
    """Whether that was noted for these sources, this processor, this Python."""
    return bool(KernelFiles.of(part).load(""))


def place_of(part: Callable[..., object]) -> Path | None:
    """Return where kernels are kept that have yet to be compiled; None where that can be nowhere."""
    return KernelFiles.of(part).place()


def is_passing(place: Path) -> bool:
    """Whether the folder is one for want of another, which goes with the machine's temporary files."""
    return place.parent == _temporary_folder()


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


def _folders(source: Path) -> Iterator[KernelFolder]:
    """Where files of kernels in `source` may lie: looked for in each, written to the first that takes them.

    Where the user wants them, or beside the source, or in the user's cache; a temporary folder where none of these
    takes any.
    """
    usual = tuple(_usual_folders(source))
    yield from usual
    if not any(map(_takes_files, usual)) and (temporary := _temporary_folder()) is not None:
        yield KernelFolder(temporary / _own_name(source))


def _usual_folders(source: Path) -> Iterator[KernelFolder]:
    wanted = os.environ.get("NUMBA_CACHE_DIR")
    own = _own_name(source)
    if wanted:
        yield KernelFolder(Path(wanted) / own)
        return
    yield KernelFolder(source.parent / "__pycache__", is_beside=True)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - raises nothing
    if os.path.isabs(home):  # noqa: PTH117 - as above
        # ^ without a home it is "~/.cache", in the current folder, whoever that belongs to
        yield KernelFolder(Path(home) / "flatpipe" / "kernels" / own)


def _own_name(source: Path) -> str:
    return f"{source.parent.name}_{hashlib.sha256(bytes(source.parent)).hexdigest()[:32]}"


@cache
def _takes_files(folder: KernelFolder) -> bool:
    """Whether a file can be put there, asked once."""
    return folder.can_take()


@cache
def _temporary_folder() -> Path | None:
    """Return a temporary folder of this user's, found again by the next process; None where there can be none.

    No name is known beforehand, so nobody can take it first; what has such a name and is not this user's is passed by.
    """
    with suppress(OSError):
        place = Path(tempfile.gettempdir())
        for path in sorted(path for path in place.iterdir() if path.name.startswith(_TEMPORARY)):
            if KernelFolder(path).can_take():
                return path
        return Path(tempfile.mkdtemp(prefix=_TEMPORARY))
    return None
