"""The outputs of images as ranges of a tar file: made, taken apart, and given another key.

A range is all members of one image, one behind the other, each a header of 512 bytes and its content, padded to a
multiple of that. What a header says but name and size is always the same, so that equal images have equal ranges.
"""

from __future__ import annotations

import errno
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

from flatpipe.layout import PACK_END, member_name
from flatpipe.records import PackedImage
from flatpipe.storage.roots import Root

_BLOCK = 512
END = bytes(PACK_END)
# ^ of a whole tar file, however many members it has
_NAME, _SIZE = slice(0, 100), slice(124, 135)
# ^ places in a header: POSIX 1003.1, ustar


class DamagedRangeError(ValueError):
    """A range is not as it was made."""


class Member(NamedTuple):
    """A file of an image."""

    name: str
    # ^ without the key
    content: bytes


def member_blocks(key: str, name: str, content: bytes) -> tuple[bytes, bytes, bytes]:
    """A file of an image as it stands in a tar file: header, content and padding."""
    described = tarfile.TarInfo(member_name(key, name))
    described.size = len(content)
    # ^ mode 644, no time, no owner: the defaults
    header = described.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    return header, content, bytes(-len(content) % _BLOCK)


def members_of(part: bytes) -> Iterator[Member]:
    """The files of a range, in their order; raises DamagedRangeError where it is none."""
    at = 0
    while at < len(part):
        header = part[at : at + _BLOCK]
        try:
            key, dot, name = header[_NAME].rstrip(b"\0").decode("ascii").partition(".")
            size = int(header[_SIZE], 8)
        except ValueError as error:
            raise DamagedRangeError(str(error)) from error
        content = part[at + _BLOCK : at + _BLOCK + size]
        if not (key and dot and name) or len(content) != size:
            raise DamagedRangeError(f"no member stands at {at}")
        yield Member(name, content)
        at += _BLOCK + size + -size % _BLOCK


def files_in(root: Root, image: PackedImage) -> dict[str, bytes]:
    """The files of an image, by name, as they lie in a tar file; raises OSError."""
    try:
        return dict(members_of(root.read_range(image.file, image.start, image.bytes)))
    except DamagedRangeError as error:
        raise OSError(errno.EIO, str(error), image.file) from error


def with_key(part: bytes, key: str) -> bytes:
    """A range of equal length in which the files have this key; raises DamagedRangeError."""
    return b"".join(block for name, content in members_of(part) for block in member_blocks(key, name, content))
