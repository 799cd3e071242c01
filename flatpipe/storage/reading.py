"""Inputs as bytes: regular files alone, none larger than memory allows, no link out of the input."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from flatpipe.errors import ImageTooLarge
from flatpipe.places import ReadPolicy, is_url
from flatpipe.records import ImageSource
from flatpipe.storage.urls import blocks_of_url, read_url, read_url_start, size_of_url
from flatpipe.text import in_bytes

LEAVES_INPUT = "a symbolic link that leaves the input folder; input.follow_symlinks: true follows it"
NOT_A_FILE = "not a regular file (a pipe, socket or device); never opened"

_NO_WAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
# ^ opening a pipe does not wait for whoever writes to it; a regular file knows no difference
_OPEN_FILES = "/proc/self/fd"
# ^ where Linux tells which file is open, whatever has become of its path since
_BLOCK = 1 << 20
ANY = ReadPolicy()


def read_input(source: ImageSource, policy: ReadPolicy) -> bytes:
    """All bytes of an image's file; raises OSError, and ImageTooLarge before any of it is read."""
    if is_url(source.path):
        _check_size(source.size, policy)
        content = read_url(source.path, policy.max_bytes)
        _check_size(len(content), policy)
        return content
    return read_file(source.path, policy)


def read_file(path: str, policy: ReadPolicy = ANY) -> bytes:
    """All bytes of one local file or URL; raises OSError, and of a local file ImageTooLarge before it is read."""
    if is_url(path):
        return read_url(path)
    with _opened(path, policy.root) as file:
        _check_size(os.fstat(file.fileno()).st_size, policy)
        return file.read()


def read_file_within(path: str, most: int) -> bytes:
    """All bytes of one local file or URL that has so many at most; raises OSError, before it reads more."""
    if is_url(path):
        content = read_url_start(path, most + 1)
        _check_most(len(content), most, path, "more than")
        return content
    with _opened(path, "") as file:
        _check_most(os.fstat(file.fileno()).st_size, most, path)
        return file.read(most)


def file_digest(path: str, policy: ReadPolicy = ANY) -> str:
    """The sha256 (hex) of one local file or URL, read piece by piece; raises OSError."""
    digest = hashlib.sha256()
    for block in blocks_of_url(path) if is_url(path) else _blocks(path, policy.root):
        digest.update(block)
    return digest.hexdigest()


def _blocks(path: str, root: str) -> Iterator[bytes]:
    with _opened(path, root) as file:
        while block := file.read(_BLOCK):
            yield block


def file_size(path: str) -> int:
    """Bytes of one local file or URL, which can be read: it was opened; raises OSError."""
    if is_url(path):
        return size_of_url(path)
    with _opened(path, "") as file:
        return os.fstat(file.fileno()).st_size


def check_regular(status: os.stat_result, path: str) -> None:
    """Raise OSError for what is neither a regular file nor a folder: reading it might never end."""
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EINVAL, NOT_A_FILE, path)


@contextlib.contextmanager
def _opened(path: str, root: str) -> Iterator[BinaryIO]:
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


def _check_most(size: int, most: int, path: str, about: str = "") -> None:
    if size > most:
        told = f"{about} {in_bytes(most)}" if about else in_bytes(size)
        raise OSError(errno.EFBIG, f"the file has {told}, and {in_bytes(most)} at most are read", path)


def _check_size(size: int, policy: ReadPolicy) -> None:
    if policy.max_bytes is not None and size > policy.max_bytes:
        words = f"the file has {in_bytes(size)}, and {in_bytes(policy.max_bytes)} at most are read"
        raise ImageTooLarge(f"{words}: its share of limits.memory_per_worker")
