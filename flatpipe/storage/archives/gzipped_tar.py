"""Tar files within gzip: listed in one go, and read at any place by an index that each process keeps."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator
from functools import lru_cache

from flatpipe.errors import TruncatedImage
from flatpipe.storage.archives.found import Fault, Member
from flatpipe.storage.archives.place import ArchiveFile
from flatpipe.storage.archives.streams import Gunzipped
from flatpipe.storage.archives.tar import members_of

_KEPT = 4
# ^ archives that a process has open; images come archive by archive
_SPACING = 4 << 20
# ^ unpacked bytes between two points of an index: half of them are unpacked in vain for a member, 9 ms
_POINTS = 512
# ^ of an index, 32 KiB each: beyond two gigabytes, which a hostile file has in two megabytes, they lie wider apart


def gzipped_members(archive: ArchiveFile) -> Iterator[Member | Fault]:
    """What a gzipped tar file holds; raises OSError, and an ImageError after what is whole."""
    with archive.opened() as file:
        yield from members_of(lambda: Gunzipped(file))


def read_gzipped(archive: ArchiveFile, where: str, size: int) -> bytes:
    """The bytes of a member; raises OSError, and an ImageError for what is damaged."""
    start = int(where)
    content = _indexed(archive, spacing_at(start), os.getpid()).read_at(start, size)
    # ^ a forked process would move the place where its parent reads
    return content if len(content) == size else _read_through(archive, start, size)


def spacing_at(start: int) -> int:
    """Bytes between the points of an index that reaches to here: doubled by turns, so that the points stay few."""
    return _SPACING << (start // (_POINTS * _SPACING)).bit_length()


def _read_through(archive: ArchiveFile, start: int, size: int) -> bytes:
    """The same without an index, which loses the last megabyte before a fault: what was listed can be read."""
    with archive.opened() as file:
        stream = Gunzipped(file)
        stream.skip(start)
        content = stream.read(size)
    if len(content) < size:
        raise TruncatedImage("the archive ends within it")
    return content


class _Indexed:
    """One gzip file, open, with its index, which grows as far as it was read."""

    def __init__(self, archive: ArchiveFile, spacing: int) -> None:
        import indexed_gzip  # type: ignore[import-untyped]
        # ^ 24 ms, which few need

        self._lock, self._damaged = threading.Lock(), indexed_gzip.ZranError
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(archive.opened())
            self._file = stack.enter_context(
                indexed_gzip.IndexedGzipFile(fileobj=file, spacing=spacing, skip_crc_check=True)
                # ^ whether all of it is whole was said when it was listed: which member is not, a checksum cannot say
            )
            weakref.finalize(self, stack.pop_all().close)

    def read_at(self, start: int, size: int) -> bytes:
        """The unpacked bytes from `start` on, fewer where it ends before or is damaged."""
        with self._lock, contextlib.suppress(self._damaged):
            self._file.seek(start)
            return bytes(self._file.read(size))
        return b""


@lru_cache(_KEPT)
def _indexed(archive: ArchiveFile, spacing: int, _process: int) -> _Indexed:
    return _Indexed(archive, spacing)
