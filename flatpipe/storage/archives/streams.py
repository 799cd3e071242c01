"""Bytes of an archive from its beginning on: read, or passed over; as they lie there, or gunzipped on the way."""

from __future__ import annotations

import gzip
import os
import zlib
from typing import BinaryIO, Protocol

from flatpipe.errors import DecoderFailed, TruncatedImage, UnsupportedImage

_PIECE = 1 << 20
# ^ bytes that are unpacked at a time: a gzip of a few kilobytes may hold gigabytes
_MAGIC = b"\x1f\x8b"
NO_GZIP = "this is no gzip file, whatever its name says"


class Forward(Protocol):
    """Bytes that are gone through once. What cannot be read raises OSError, what is damaged an ImageError."""

    def read(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        ...

    def skip(self, size: int) -> bool:
        """Pass over so many bytes; whether they were there."""
        ...

    def finish(self) -> None:
        """Go to the end, where what follows says whether all of it is whole."""
        ...


class Plain:
    """The bytes of a file as they are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._at = 0

    def read(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        self._file.seek(self._at)
        content = self._file.read(size)
        self._at += len(content)
        return content

    def skip(self, size: int) -> bool:
        """Pass over so many bytes; whether they were there."""
        self._at += size
        return self._at <= self._end

    def finish(self) -> None:
        """Nothing: a plain file does not say whether it is whole."""


class Gunzipped:
    """The bytes that a gzip file holds, unpacked piece by piece."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        start = file.read(len(_MAGIC))
        if start != _MAGIC:
            raise UnsupportedImage(NO_GZIP) if start else TruncatedImage("the file is empty")
        file.seek(0)
        self._file = gzip.GzipFile(fileobj=file)

    def read(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        try:
            return self._file.read(size)
        except EOFError as error:
            raise TruncatedImage("the gzip file ends too early") from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise DecoderFailed(f"the gzip file is damaged: {error}") from error

    def skip(self, size: int) -> bool:
        """Pass over so many bytes; whether they were there."""
        while size > 0 and (piece := self.read(min(size, _PIECE))):
            size -= len(piece)
        return size <= 0

    def finish(self) -> None:
        """Read what is left: its checksum stands at its end."""
        while self.read(_PIECE):
            pass
