"""An archive's own file, local or behind a URL: opened where it can be sought in, or read piece by piece."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from flatpipe.places import is_url
from flatpipe.storage.opening import opened
from flatpipe.storage.urls import opened_to_seek, read_url_range


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """Where an archive lies; two with one stamp hold the same bytes."""

    path: str
    # ^ an absolute local path or a URL
    stamp: str
    root: str = ""
    # ^ folder that no link may lead out of; "": links are followed
    column: str | None = None
    # ^ of a table, the one that has the images; None: that which is called so

    @contextlib.contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file, at its beginning; it can be sought in. Raises OSError."""
        with opened_to_seek(self.path) if is_url(self.path) else opened(self.path, self.root) as file:
            yield cast("BinaryIO", file)

    def read_at(self, start: int, size: int) -> bytes:
        """The bytes from `start` on, fewer where the file ends before; raises OSError."""
        if is_url(self.path):
            return read_url_range(self.path, start, start + size)
        with opened(self.path, self.root) as file:
            file.seek(start)
            return file.read(size)
