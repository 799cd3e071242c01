"""Inputs as bytes: regular files alone, none larger than memory allows, no link out of the input."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

from flatpipe.errors import ImageError, ImageIOFailed, ImageTooLarge
from flatpipe.places import ReadPolicy, is_url
from flatpipe.records import ImageSource
from flatpipe.storage.archives.kinds import read_member
from flatpipe.storage.archives.place import ArchiveFile
from flatpipe.storage.opening import opened
from flatpipe.storage.urls import blocks_of_url, read_url, read_url_start, size_of_url
from flatpipe.text import in_bytes

_BLOCK = 1 << 20
ANY = ReadPolicy()


def read_input(source: ImageSource, policy: ReadPolicy) -> bytes:
    """All bytes of an image's file, or of a member of an archive; raises OSError, ImageTooLarge before any is read.

    What is damaged in an archive raises another ImageError.
    """
    if source.part:
        _check_size(source.size, policy, "member")
        archive = ArchiveFile(source.path, source.stamp, policy.root_of(source.path))
        content = read_member(archive, source.part, source.size)
        _check_size(len(content), policy, "member")
        # ^ a table tells only how large rows are on average
        return content
    if is_url(source.path):
        _check_size(source.size, policy)
        content = read_url(source.path, policy.max_bytes)
        _check_size(len(content), policy)
        return content
    return read_file(source.path, policy)


def check_unchanged(source: ImageSource) -> None:
    """Raise ImageIOFailed where a member's local archive has another date than when it was listed.

    Other bytes may lie there now. Only the date of its content counts: a link to it, or other rights, change nothing.
    """
    if source.part and not is_url(source.path):
        modified, listed = os.stat(source.path).st_mtime_ns, source.stamp.partition("-")[0]  # noqa: PTH116
        if str(modified) != listed:
            raise ImageIOFailed("its archive was changed since it was listed; run again")


def read_file(path: str, policy: ReadPolicy = ANY) -> bytes:
    """All bytes of one local file or URL; raises OSError, and of a local file ImageTooLarge before it is read."""
    if is_url(path):
        return read_url(path)
    with opened(path, policy.root_of(path)) as file:
        _check_size(os.fstat(file.fileno()).st_size, policy)
        return file.read()


def read_file_within(path: str, most: int) -> bytes:
    """All bytes of one local file or URL that has so many at most; raises OSError, before it reads more."""
    if is_url(path):
        content = read_url_start(path, most + 1)
        _check_most(len(content), most, path, "more than")
        return content
    with opened(path, "") as file:
        _check_most(os.fstat(file.fileno()).st_size, most, path)
        return file.read(most)


def file_digest(path: str, policy: ReadPolicy = ANY) -> str:
    """The sha256 (hex) of one local file or URL, read piece by piece; raises OSError."""
    digest = hashlib.sha256()
    for block in blocks_of_url(path) if is_url(path) else _blocks(path, policy.root_of(path)):
        digest.update(block)
    return digest.hexdigest()


def source_digest(source: ImageSource, policy: ReadPolicy) -> str:
    """The sha256 (hex) of an image's bytes; "" when they cannot be read."""
    try:
        if source.part:
            return hashlib.sha256(read_input(source, policy)).hexdigest()
        return file_digest(source.path, policy)
    except (OSError, ImageError):
        return ""


def has_content(source: ImageSource, size: int, content: str, policy: ReadPolicy) -> bool:
    """Whether an image's bytes, once of this size, have this sha256; a file of another size need not be read for it.

    Of a member the size is what its archive says. What cannot be read has no content.
    """
    return (source.size == size or bool(source.part)) and source_digest(source, policy) == content


def remembered_digests(policy: ReadPolicy, kept: int = 16) -> Callable[[ImageSource], str]:
    """`source_digest`, asked once for the frames of a file: they come together."""
    digest_of = lru_cache(kept)(lambda source: source_digest(source, policy))
    return lambda source: digest_of(replace(source, image_id="", frame=0))


def _blocks(path: str, root: str) -> Iterator[bytes]:
    with opened(path, root) as file:
        while block := file.read(_BLOCK):
            yield block


def file_size(path: str) -> int:
    """Bytes of one local file or URL, which can be read: it was opened; raises OSError."""
    if is_url(path):
        return size_of_url(path)
    with opened(path, "") as file:
        return os.fstat(file.fileno()).st_size


def _check_most(size: int, most: int, path: str, about: str = "") -> None:
    if size > most:
        told = f"{about} {in_bytes(most)}" if about else in_bytes(size)
        raise OSError(errno.EFBIG, f"the file has {told}, and {in_bytes(most)} at most are read", path)


def _check_size(size: int, policy: ReadPolicy, what: str = "file") -> None:
    if policy.max_bytes is not None and size > policy.max_bytes:
        words = f"the {what} has {in_bytes(size)}, and {in_bytes(policy.max_bytes)} at most are read"
        raise ImageTooLarge(f"{words}: its share of limits.memory_per_worker")
