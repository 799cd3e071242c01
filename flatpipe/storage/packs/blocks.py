"""Files that may be larger than memory, block by block."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from flatpipe.storage.roots import Root

_AT_ONCE = 8 << 20


def blocks_of(root: Root, name: str, size: int | None = None) -> Iterator[bytes]:
    """All bytes of a file that may be larger than memory, of known size or not; raises OSError."""
    at = 0
    while (size is None or at < size) and (block := root.read_range(name, at, _AT_ONCE)):
        yield block
        if len(block) < _AT_ONCE:
            return
            # ^ a store that is asked for bytes behind the end says that this is an error
        at += len(block)


def sha256_of(root: Root, name: str, size: int) -> str:
    """The sha256 of such a file; raises OSError."""
    digest = hashlib.sha256()
    for block in blocks_of(root, name, size):
        digest.update(block)
    return digest.hexdigest()
