"""The directory of a zip file, entry by entry, in little memory whatever it says of itself.

zipfile keeps a record of 700 bytes for each entry, and gives up all of them for one bad name. Format: PKWARE,
APPNOTE.TXT 6.3.10, sections 4.3.12 (entries), 4.3.14 and 4.3.16 (ends), 4.5.3 (sizes of 64 bits).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from flatpipe.errors import DecoderFailed, TruncatedImage, UnsupportedImage

_LOCAL, _ENTRY, _END, _END_64, _LOCATOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
_END_FIELDS = struct.Struct("<4s4H2LH")
_END_64_FIELDS = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_FIELDS = struct.Struct("<4sLQL")
_ENTRY_FIELDS = struct.Struct("<4s6H3L5H2L")
_LONGEST_COMMENT = (1 << 16) - 1
_ALL_16, _ALL_32 = (1 << 16) - 1, (1 << 32) - 1
# ^ "see the 64-bit field"
_SIZES_64 = 1
# ^ id of the extra field that has them
_IS_UTF_8 = 0x800
NO_ZIP = "this is no zip archive, whatever its name says"


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory lies."""

    start: int
    size: int
    entries: int
    # ^ as it says itself, modulo 65,536 where it has no more room
    shift: int
    # ^ bytes before the archive, such as a program that unpacks it


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the directory describes it."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    # ^ bytes of the member in the archive
    size: int
    # ^ bytes of the member
    start: int
    # ^ of its own header, in the file
    mode: int
    # ^ of Unix, 0 where the archive has none
    damage: str = ""
    # ^ why it cannot be found, as a sentence


def find_directory(file: BinaryIO) -> Directory:
    """Where the directory of a zip file lies; raises OSError, and an ImageError where it has none, or two."""
    length = file.seek(0, os.SEEK_END)
    at = max(0, length - _END_FIELDS.size - _LONGEST_COMMENT)
    file.seek(at)
    tail = file.read(length - at)
    end = _end_in(tail)
    if end is None:
        file.seek(0)
        first = file.read(len(_LOCAL))
        if not length:
            raise TruncatedImage("the file is empty")
        if first == _LOCAL:
            raise TruncatedImage("the archive ends before its directory: what it holds cannot be known")
        raise UnsupportedImage(NO_ZIP)
    _, disk, first_disk, here, entries, size, start, _ = _END_FIELDS.unpack_from(tail, end)
    where, before = at + end, 0
    is_full = _ALL_16 in (disk, entries) or _ALL_32 in (size, start)
    large = _large_end(file, where)
    if large is not None and (is_full or large == (disk, first_disk, here, entries, size, start)):
        # ^ Info-ZIP writes it for what comes from a pipe too, and both say the same
        disk, first_disk, here, entries, size, start = large
        before = _END_64_FIELDS.size + _LOCATOR_FIELDS.size
    if disk or first_disk or here != entries:
        raise UnsupportedImage("a part of a zip archive that was split; only whole ones are read")
    shift = where - before - size - start
    if shift < 0:
        raise DecoderFailed("the archive's directory lies outside the file")
    return Directory(start + shift, size, entries, shift)


def entries_of(file: BinaryIO, directory: Directory) -> Iterator[Entry]:
    """Each entry, in the directory's order; raises an ImageError after the last that is whole, and OSError."""
    file.seek(directory.start)
    left, count = directory.size, 0
    while left > 0:
        fields = file.read(min(left, _ENTRY_FIELDS.size))
        if len(fields) < _ENTRY_FIELDS.size or not fields.startswith(_ENTRY):
            raise DecoderFailed(f"the archive's directory is damaged after entry {count:,}; what follows is not read")
        lengths = sum(_ENTRY_FIELDS.unpack(fields)[10:13])
        rest = file.read(min(left - len(fields), lengths))
        if len(rest) < lengths:
            raise DecoderFailed(f"the archive's directory is damaged after entry {count:,}; what follows is not read")
        yield _entry(fields, rest, directory)
        left -= len(fields) + lengths
        count += 1
    if (count - directory.entries) & _ALL_16:
        raise DecoderFailed(f"the archive's directory has {count:,} entries and speaks of {directory.entries:,}")


def _end_in(tail: bytes) -> int | None:
    """Where the end record is: the one whose comment ends the file, or else the last, where more stands behind it."""
    last, exact = None, []
    at = tail.rfind(_END)
    while at >= 0:
        if at + _END_FIELDS.size <= len(tail):
            end = at + _END_FIELDS.size + _END_FIELDS.unpack_from(tail, at)[-1]
            if end == len(tail):
                exact.append(at)
            elif end < len(tail) and last is None:
                last = at
        at = tail.rfind(_END, 0, at)
    if len(exact) > 1:
        raise DecoderFailed("the archive has two ends, one in the comment of the other: which is meant cannot be known")
    return exact[0] if exact else last


def _large_end(file: BinaryIO, end: int) -> tuple[int, int, int, int, int, int] | None:
    """The fields of the end record of 64 bits, which stands before the other; None where there is none."""
    at = end - _LOCATOR_FIELDS.size - _END_64_FIELDS.size
    if at < 0:
        return None
    file.seek(at)
    both = file.read(_END_64_FIELDS.size + _LOCATOR_FIELDS.size)
    if not both[_END_64_FIELDS.size :].startswith(_LOCATOR):
        return None
    if not both.startswith(_END_64):
        raise DecoderFailed("the archive's directory is damaged at its end")
    _, _, _, _, disk, first_disk, here, entries, size, start = _END_64_FIELDS.unpack_from(both)
    return disk, first_disk, here, entries, size, start


def _entry(fields: bytes, rest: bytes, directory: Directory) -> Entry:
    (_, made_by, _, flags, method, _, _, crc, packed, size, name_length, extra_length, _, _, _, attributes, start) = (
        _ENTRY_FIELDS.unpack(fields)
    )
    raw_name, extra = rest[:name_length], rest[name_length : name_length + extra_length]
    damage = ""
    if _ALL_32 in (packed, size, start):
        given = iter(_large_fields(extra))
        size, packed, start = (next(given, -1) if value == _ALL_32 else value for value in (size, packed, start))
        damage = "its sizes are missing from the archive's directory" if min(size, packed, start) < 0 else ""
    if not damage and start + directory.shift + packed > directory.start:
        damage = "the archive's directory says that it lies outside the archive"
    return Entry(
        name=_name(raw_name, flags),
        flags=flags,
        method=method,
        crc=crc,
        packed=packed,
        size=size,
        start=start + directory.shift,
        mode=attributes >> 16 if made_by >> 8 == _UNIX else 0,
        damage=damage,
    )


_UNIX = 3
# ^ the system that an entry was made on


def _large_fields(extra: bytes) -> list[int]:
    """The fields of 64 bits that an entry has, in their order: size, packed size, start."""
    at = 0
    while at + 4 <= len(extra):
        word, length = struct.unpack_from("<2H", extra, at)
        if word == _SIZES_64:
            count = min(length, len(extra) - at - 4) // 8
            return list(struct.unpack_from(f"<{count}Q", extra, at + 4))
        at += 4 + length
    return []


def _name(raw: bytes, flags: int) -> str:
    """The name in letters: UTF-8 where it is that, said or not (macOS does not), or else as MS-DOS had it."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        name = raw.decode("utf-8", "surrogateescape") if flags & _IS_UTF_8 else raw.decode("cp437")
    return name if "/" in name else name.replace("\\", "/")
    # ^ some programs of Windows put these between folders
