"""A Parquet file, open: which column has the images, and one row's bytes without the others' where there are many."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from flatpipe.environment import INSTALL_PARQUET
from flatpipe.errors import DecoderFailed, ImageError, ImageTooLarge, TruncatedImage, UnsupportedImage
from flatpipe.storage.archives.place import ArchiveFile

_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
_MOST_ROWS = 1 << 20
# ^ that are believed of a file of fewer bytes: rows that are alike, or null, take next to none
_READ_AHEAD = 1 << 20
# ^ bytes of a column that are read at a time: a row group of gigabytes passes by piece by piece
_BATCH_ROWS, _BATCH_BYTES = 64, 8 << 20
# ^ that are unpacked together
_KEPT_BYTES = 64 << 20
# ^ of unpacked rows in each of
_KEPT_GROUPS = 2
# ^ row groups: images come in the order of ids, which is often that of rows
_NEEDS = f"Parquet files need a package that is not installed: {INSTALL_PARQUET}"


class ParquetFile:
    """One file, open until nobody has it any more; raises OSError and an ImageError wherever it is asked."""

    def __init__(self, archive: ArchiveFile) -> None:
        try:
            import pyarrow.parquet as parquet
        except ImportError as error:
            raise UnsupportedImage(_NEEDS) from error
        self._lock = threading.Lock()
        self._cursors: OrderedDict[tuple[int, str], _Cursor] = OrderedDict()
        with contextlib.ExitStack() as stack:
            self._file = _Watched(stack.enter_context(archive.opened()))
            self.bytes = _checked_size(self._file)
            with self.errors():
                self._table = parquet.ParquetFile(self._file, pre_buffer=False, buffer_size=_READ_AHEAD)
                self.schema, self._metadata = self._table.schema_arrow, self._table.metadata
            self.close = stack.pop_all().close
            weakref.finalize(self, self.close)
        self.rows = [self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups)]
        if min(self.rows, default=0) < 0 or sum(self.rows) > max(self.bytes, _MOST_ROWS):
            raise DecoderFailed("the Parquet file speaks of more rows than it has bytes")

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Errors of pyarrow leave as ImageErrors, those of the disk or the store as they are."""
        import pyarrow

        try:
            yield
        except pyarrow.ArrowNotImplementedError as error:
            raise UnsupportedImage(f"a Parquet file of a kind that is not read: {_first_line(error)}") from error
        except MemoryError as error:
            raise ImageTooLarge(f"the Parquet file takes more memory than there is: {_first_line(error)}") from error
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            if self._file.error is not None:
                raise self._file.error from error
            raise DecoderFailed(f"the Parquet file is damaged: {_first_line(error)}") from error

    def column(self, name: str, group: int, rows: int) -> Iterator[Any]:
        """A column of a row group ("image", or "image.bytes" of a struct), as arrays of so many rows at most."""
        outer, _, inner = name.partition(".")
        batches = self._table.iter_batches(rows, row_groups=[group], columns=[name], use_threads=False)
        while (batch := self._next(batches)) is not None:
            array = batch.column(outer)
            yield array.field(inner) if inner else array

    def mean_bytes(self, name: str, group: int) -> int:
        """What a row's value takes on average, by the file's word."""
        described = self._metadata.row_group(group)
        sizes = (described.column(number) for number in range(described.num_columns))
        total = sum(one.total_uncompressed_size for one in sizes if one.path_in_schema == name)
        return int(max(0, total) // max(1, described.num_rows))

    def value(self, name: str, group: int, row: int) -> bytes | None:
        """The bytes of one row of a row group; None where it has none."""
        if not 0 <= group < len(self.rows):
            raise DecoderFailed("it is not where its archive says")
        with self._lock:
            key = (group, name)
            cursor = self._cursors.pop(key, None)
            if cursor is None or row < cursor.first:
                count = max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, self.mean_bytes(name, group))))
                cursor = _Cursor(self.column(name, group, count))
            self._cursors[key] = cursor
            if len(self._cursors) > _KEPT_GROUPS:
                self._cursors.popitem(last=False)
            try:
                with self.errors():
                    return cursor.value(row)
            except (ImageError, OSError):
                del self._cursors[key]
                # ^ what is gone through once does not come again
                raise

    def _next(self, batches: Iterator[Any]) -> Any:
        with self.errors():
            return next(batches, None)


@dataclass(slots=True)
class _Cursor:
    """A column that is gone through once, and the rows behind it that are kept."""

    batches: Iterator[Any]
    kept: deque[tuple[int, Any]] = field(default_factory=deque)
    # ^ each with the number of its first row
    end: int = 0
    # ^ number of the first row that is not read yet

    @property
    def first(self) -> int:
        """The number of the first row that is kept."""
        return self.kept[0][0] if self.kept else 0

    def value(self, row: int) -> bytes | None:
        """The bytes of one row, which is not before the first."""
        while row >= self.end:
            batch = next(self.batches, None)
            if batch is None:
                raise TruncatedImage("the archive ends before it")
            self.kept.append((self.end, batch))
            self.end += len(batch)
            while len(self.kept) > 1 and sum(one.nbytes for _, one in self.kept) > _KEPT_BYTES:
                self.kept.popleft()
        start, batch = next((start, batch) for start, batch in reversed(self.kept) if start <= row)
        found: bytes | None = batch[row - start].as_py()
        return found


class _Watched:
    """A file for pyarrow, whose own errors it would tell as damage."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """Bytes from where it stands."""
        try:
            return self._file.read(size)
        except OSError as error:
            self.error = error
            raise

    def seek(self, offset: int, whence: int = 0) -> int:
        """Where it stands then."""
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        """Where it stands."""
        return self._file.tell()

    def readable(self) -> bool:
        """That it can be read."""
        return True

    def seekable(self) -> bool:
        """That it can be sought in."""
        return True

    def writable(self) -> bool:
        """That it cannot be written."""
        return False

    def close(self) -> None:
        """Nothing: who has opened it closes it."""


def _checked_size(file: _Watched) -> int:
    """Bytes of the file; raises an ImageError where its ends are not those of a Parquet file that can be read."""
    length = file.seek(0, 2)
    file.seek(0)
    start = file.read(len(_MAGIC))
    file.seek(max(0, length - len(_MAGIC)))
    end = file.read(len(_MAGIC))
    file.seek(0)
    if _ENCRYPTED in (start, end):
        raise UnsupportedImage("an encrypted Parquet file, which is not read")
    if start != _MAGIC:
        raise UnsupportedImage("this is no Parquet file, whatever its name says")
    if end != _MAGIC or length < 3 * len(_MAGIC):
        raise TruncatedImage("the Parquet file ends before its directory: what it holds cannot be known")
    return length


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".")[:200] or type(error).__name__
