"""Local files, open: regular ones alone, and no link out of the input."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LEAVES_INPUT = "a symbolic link that leaves the input folder; input.follow_symlinks: true follows it"
NOT_A_FILE = "not a regular file (a pipe, socket or device); never opened"

_NO_WAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
# ^ opening a pipe does not wait for whoever writes to it; a regular file knows no difference
_OPEN_FILES = "/proc/self/fd"
# ^ where Linux tells which file is open, whatever has become of its path since


def check_regular(status: os.stat_result, path: str) -> None:
    """Raise OSError for what is neither a regular file nor a folder: reading it might never end."""
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EINVAL, NOT_A_FILE, path)


@contextlib.contextmanager
def opened(path: str, root: str) -> Iterator[BinaryIO]:
    """The file, open; what was put in its place since it was found, a link or a pipe, is not followed or waited for."""
    real_root = os.path.realpath(root) if root else ""
    descriptor = _descriptor(path, real_root)
    try:
        check_regular(os.fstat(descriptor), path)
        if real_root:
            _inside(_place_of(descriptor, path), real_root, path)
            # ^ a folder on the way may have become a link as well
        file = open(descriptor, "rb")  # noqa: PTH123, SIM115 - it owns the descriptor from here on
    except OSError:
        os.close(descriptor)
        raise
    with file:
        yield file


def _descriptor(path: str, real_root: str) -> int:
    if not real_root:
        return os.open(path, _NO_WAITING)
    try:
        return os.open(path, _NO_WAITING | os.O_NOFOLLOW)
    except OSError as error:
        if not Path(path).is_symlink():
            raise
        real = _inside(os.path.realpath(path), real_root, path, error)
        # ^ a link within the input is as good as a file
        return os.open(real, _NO_WAITING | os.O_NOFOLLOW)


def _place_of(descriptor: int, path: str) -> str:
    try:
        return str(Path(f"{_OPEN_FILES}/{descriptor}").readlink())
    except OSError:
        return os.path.realpath(path)


def _inside(real: str, real_root: str, path: str, cause: OSError | None = None) -> str:
    if os.path.commonpath([real, real_root]) != real_root:
        raise OSError(errno.ELOOP, LEAVES_INPUT, path) from cause
    return real
