"""Parquet files of images: a row is a member, called by its path where it has one of its own, or else by its number."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import quote, unquote

from flatpipe.errors import ImageError, UnsupportedImage
from flatpipe.storage.archives.found import Fault, Member
from flatpipe.storage.archives.names import member_name
from flatpipe.storage.archives.parquet_file import ParquetFile
from flatpipe.storage.archives.place import ArchiveFile
from flatpipe.storage.archives.sorting import SortedRecords

_KEPT = 4
# ^ files that a process has open
_DIGITS = 6
# ^ of a row's number, or as many as the last row's has
_NAMES_AT_ONCE = 4096
_BYTES, _PATH = "bytes", "path"
# ^ fields of an image as Hugging Face writes it
_BESIDE = ("path", "file_name", "filename")
# ^ names of a column of texts beside one of bytes, as they are looked for
_MOST_SHOWN = 20
# ^ columns that a sentence names


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a file has its images."""

    content: str
    # ^ "image", or "image.bytes" of a struct
    path: str
    # ^ the same; "" where there is none


def parquet_members(archive: ArchiveFile) -> Iterator[Member | Fault]:
    """What a Parquet file holds; raises OSError, and an ImageError after what is whole."""
    with contextlib.closing(ParquetFile(archive)) as table, contextlib.closing(SortedRecords()) as records:
        columns, trouble = _columns(table.schema, archive.column), None
        digits = max(_DIGITS, len(str(max(0, sum(table.rows) - 1))))
        try:
            for number, row, path in _rows(table, columns):
                if path is None:
                    yield _numbered(number, row, digits)
                else:
                    records.add(f"{path}\0{number} {row.group} {row.index} {row.size} {row.column}".encode(*_NAMES))
        except ImageError as error:
            trouble = error
        yield from _by_path(records, digits)
        if trouble is not None:
            raise trouble


def read_parquet(archive: ArchiveFile, where: str, size: int) -> bytes:  # noqa: ARG001 - as every kind is read
    """The bytes of a row; raises OSError, and an ImageError for what is damaged."""
    group, index, column = where.split(" ")
    content = _opened(archive, os.getpid()).value(unquote(column), int(group), int(index))
    # ^ a forked process would move the place where its parent reads
    if content is None:
        raise UnsupportedImage("its row has no bytes: null")
    if not isinstance(content, bytes):
        raise UnsupportedImage("its row holds no bytes")
    return content


def column_within(where: str) -> str:
    """The column in whose row an image is, by what `read_parquet` is told."""
    return unquote(where.split(" ")[2]).partition(".")[0]


@lru_cache(_KEPT)
def _opened(archive: ArchiveFile, _process: int) -> ParquetFile:
    return ParquetFile(archive)


_NAMES = ("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it is found again."""

    group: int
    index: int
    size: int
    column: str
    # ^ quoted

    @property
    def where(self) -> str:
        return f"{self.group} {self.index} {self.column}"


def _numbered(number: int, row: _Row, digits: int) -> Member:
    return Member(f"{number:0{digits}d}", row.size, row.where, is_numbered=True)


def _rows(table: ParquetFile, columns: _Columns) -> Iterator[tuple[int, _Row, str | None]]:
    """Each row with its number in the file, and its path where that can be a name."""
    number = 0
    for group, count in enumerate(table.rows):
        size, column = table.mean_bytes(columns.content, group), quote(columns.content)
        paths = _paths(table, columns.path, group) if columns.path else iter(())
        for index in range(count):
            yield number, _Row(group, index, size, column), next(paths, None)
            number += 1


def _paths(table: ParquetFile, column: str, group: int) -> Iterator[str | None]:
    for array in table.column(column, group, _NAMES_AT_ONCE):
        for value in _as_bytes(array):
            yield _as_name(value)


def _as_bytes(array: Any) -> list[bytes | None]:
    """Texts as their bytes, which need not be UTF-8."""
    import pyarrow

    plain = array.dictionary_decode() if pyarrow.types.is_dictionary(array.type) else array
    found: list[bytes | None] = plain.cast(pyarrow.large_binary()).to_pylist()
    return found


def _as_name(value: bytes | None) -> str | None:
    """A path that can be a part of an id; None for any other."""
    text = "" if value is None else value.decode(*_NAMES)
    name = member_name(text)
    return name.text if name.text and not name.refused else None


def _by_path(records: SortedRecords, digits: int) -> Iterator[Member]:
    """The rows that have paths, by these, or by their numbers where several have one."""
    split = (record.decode(*_NAMES).split("\0") for record in records)
    for path, group in groupby(split, lambda record: record[0]):
        rows = [rest.split(" ") for _, rest in group]
        for number, *place, size, column in rows:
            row = _Row(int(place[0]), int(place[1]), int(size), column)
            if len(rows) > 1:
                yield _numbered(int(number), row, digits)
            else:
                is_numbered = "." not in path.rpartition("/")[2]
                yield Member(path, row.size, row.where, is_numbered)


# --- which column has the images -------------------------------------------------------------------------------------


def _columns(schema: Any, wanted: str | None) -> _Columns:
    """The columns of a file's images and paths; raises UnsupportedImage, with the columns that there are."""
    fields = {field.name: field.type for field in schema}
    shown = ", ".join(list(fields)[:_MOST_SHOWN]) + ", ..." * (len(fields) > _MOST_SHOWN)
    if wanted is not None and wanted not in fields:
        raise UnsupportedImage(f"the Parquet file has no column {wanted!r}; it has: {shown}")
    if wanted is not None and (why := _why_not(wanted, fields[wanted])):
        raise UnsupportedImage(f"column {wanted!r} of the Parquet file {why}")
    fitting = [name for name, kind in fields.items() if not _why_not(name, kind)] if wanted is None else [wanted]
    if len(fitting) > 1:
        names = ", ".join(fitting[:_MOST_SHOWN])
        raise UnsupportedImage(
            f"several columns of the Parquet file may have the images: input.column names one of {names}"
        )
    if not fitting:
        telling = [f"{name!r} {_why_not(name, kind)}" for name, kind in fields.items() if _fields_of(kind)]
        raise UnsupportedImage(f"no column of the Parquet file has bytes: {'; '.join(telling) or shown}")
    every = [field.name for field in schema]
    if every.count(fitting[0]) > 1:
        raise UnsupportedImage(f"several columns of the Parquet file are called {fitting[0]!r}")
    return _with_path(fitting[0], {name: kind for name, kind in fields.items() if every.count(name) == 1})


def _with_path(name: str, fields: dict[str, Any]) -> _Columns:
    inner = _fields_of(fields[name])
    if inner:
        return _Columns(f"{name}.{_BYTES}", f"{name}.{_PATH}" if _is_text(inner.get(_PATH)) else "")
    beside = next((one for one in _BESIDE if _is_text(fields.get(one))), "")
    return _Columns(name, beside)


def _why_not(name: str, kind: Any) -> str:
    """Why a column cannot be that of the images; "" where it can."""
    inner = _fields_of(kind)
    if "." in name:
        return "has a dot in its name"
    if inner and _PATH in inner and _BYTES not in inner:
        return "has paths and no bytes: input.list takes a list of paths"
    if _is_bytes(inner.get(_BYTES) if inner else kind):
        return ""
    return f"holds {kind}, not bytes"


def _fields_of(kind: Any) -> dict[str, Any]:
    """The fields of a struct; none of anything else."""
    import pyarrow

    if not pyarrow.types.is_struct(kind):
        return {}
    return {kind.field(number).name: kind.field(number).type for number in range(kind.num_fields)}


def _is_bytes(kind: Any) -> bool:
    import pyarrow.types as types

    ours = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    return kind is not None and any(is_one(_plain(kind)) for is_one in ours)


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    texts = (types.is_string, types.is_large_string, types.is_string_view)
    return kind is not None and any(is_one(_plain(kind)) for is_one in texts)


def _plain(kind: Any) -> Any:
    """What a dictionary's values are; any other kind itself."""
    import pyarrow

    return kind.value_type if pyarrow.types.is_dictionary(kind) else kind
