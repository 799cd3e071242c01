"""What lies behind one URL, as bytes: all of it, its beginning, or block by block."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import Any

from flatpipe.places import READ_ONLY_PROTOCOLS
from flatpipe.storage.remote import RemoteRoot, open_filesystem
from flatpipe.storage.store_errors import as_os_errors

_BLOCK = 8 << 20
# ^ bytes that are asked for at a time of what need not be in memory whole
NO_RANGES = "the server gives no parts of files (range requests), and an archive is read part by part: copy it first"


def read_url(url: str, most: int | None = None) -> bytes:
    """All bytes of one URL; raises OSError.

    Of a web server, which may say any size or none, no more than one byte above `most` is read.
    """
    if most is not None and url.partition("://")[0] in READ_ONLY_PROTOCOLS:
        return read_url_start(url, most + 1)
    filesystem, path = open_filesystem(url)
    with as_os_errors():
        return bytes(filesystem.cat_file(path))


def read_url_start(url: str, most: int) -> bytes:
    """The first bytes of one URL, so many at most; raises OSError."""
    parts = list[bytes]()
    with _opened(url) as file:
        while most > 0 and (block := file.read(min(most, _BLOCK))):
            # ^ a stream may give less than it is asked for before its end
            parts.append(block)
            most -= len(block)
    return b"".join(parts)


def blocks_of_url(url: str) -> Iterator[bytes]:
    """All bytes of one URL, block by block: little memory, however many there are; raises OSError."""
    with _opened(url) as file:
        while block := file.read(_BLOCK):
            yield block


def size_of_url(url: str) -> int:
    """Bytes of what one URL names, by the store's word, once some of it was read; raises OSError."""
    read_url_start(url, 1)
    found = RemoteRoot(url).own_file()
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), url)
    return found[0]


@contextlib.contextmanager
def _opened(url: str) -> Iterator[Any]:
    """The URL as a file that is read from its beginning on."""
    filesystem, path = open_filesystem(url)
    is_web = url.partition("://")[0] in READ_ONLY_PROTOCOLS
    options = {"block_size": 0, "size": 1} if is_web else {"block_size": _BLOCK}
    # ^ 0: as it comes; many web servers cannot begin in the middle. 1: whatever, so that the size is not asked first,
    #   which takes as long as a small image
    with as_os_errors(), filesystem.open(path, "rb", **options) as file:
        yield file


def read_url_range(url: str, start: int, end: int) -> bytes:
    """The bytes of one URL from `start` to before `end`, fewer where it ends before; raises OSError."""
    filesystem, path = open_filesystem(url)
    if start >= end:
        return b""
    with as_os_errors():
        if url.partition("://")[0] not in READ_ONLY_PROTOCOLS:
            return bytes(filesystem.cat_file(path, start=start, end=end))
        with _ranges(url), filesystem.open(path, "rb", size=end, cache_type="none") as file:
            # ^ a web server may send all of a file where a part is asked for: the file notices, before it reads
            file.seek(start)
            return bytes(file.read(end - start))


@contextlib.contextmanager
def opened_to_seek(url: str) -> Iterator[Any]:
    """The URL as a file that can be sought in, read ahead in large blocks; raises OSError."""
    filesystem, path = open_filesystem(url)
    with as_os_errors(), filesystem.open(path, "rb", block_size=_BLOCK) as file:
        with _ranges(url):
            file.seek(max(0, (file.size or 1) - 1))
            file.read(1)
            file.seek(0)
        yield file


@contextlib.contextmanager
def _ranges(url: str) -> Iterator[None]:
    """Raise OSError where the server gives no parts of files."""
    try:
        yield
    except ValueError as error:
        raise OSError(errno.ENOTSUP, NO_RANGES, url) from error
