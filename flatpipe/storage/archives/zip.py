"""Zip files: their members by the directory, and the bytes of one, with its checksum."""

from __future__ import annotations

import bisect
import contextlib
import io
import stat
import struct
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from typing import BinaryIO

from flatpipe.errors import DecoderFailed, ImageError, TruncatedImage
from flatpipe.storage.archives.found import Fault, Member
from flatpipe.storage.archives.place import ArchiveFile
from flatpipe.storage.archives.zip_directory import Directory, Entry, entries_of, find_directory

_HEADER = struct.Struct("<4s5H3L2H")
# ^ a member's own, before its name, an extra field and its bytes
_SIGNATURE = b"PK\3\4"
_USUAL_NAMES = 1024
# ^ bytes of name and extra field that are read together with the member: one request of a store, not two
_READ = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflate"}
_METHODS = {9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 99: "AES"}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
# ^ a member, strongly, and the directory


def zip_members(archive: ArchiveFile) -> Iterator[Member | Fault]:
    """What a zip file holds; raises OSError, and an ImageError after what is whole."""
    with archive.opened() as file:
        directory = find_directory(file)
        starts = _starts(file, directory)
        for entry in entries_of(file, directory):
            if not entry.name.endswith("/"):
                yield _found(entry, _room(entry, starts, directory))


def read_zip(archive: ArchiveFile, where: str, size: int) -> bytes:
    """The bytes of a member; raises OSError, and an ImageError for what is damaged."""
    start, packed, method, crc = map(int, where.split())
    info = zipfile.ZipInfo()
    info.compress_type, info.compress_size, info.file_size, info.CRC = method, packed, size, crc
    packed_bytes = io.BytesIO(_packed_bytes(archive, start, packed))
    try:
        content = zipfile.ZipExtFile(packed_bytes, "r", info).read(size)
    except EOFError as error:
        raise TruncatedImage("the archive ends within it") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise DecoderFailed(f"it is damaged in its archive: {_words(error)}") from error
    if len(content) != size:
        raise DecoderFailed(f"it has {len(content):,} bytes, and its archive says {size:,}")
    return content


def _packed_bytes(archive: ArchiveFile, start: int, packed: int) -> bytes:
    raw = archive.read_at(start, _HEADER.size + _USUAL_NAMES + packed)
    if len(raw) < _HEADER.size or not raw.startswith(_SIGNATURE):
        raise DecoderFailed("it is not where its archive says")
    *_, name_length, extra_length = _HEADER.unpack_from(raw)
    begin = _HEADER.size + name_length + extra_length
    if begin > _HEADER.size + _USUAL_NAMES:
        return archive.read_at(start + begin, packed)
    return raw[begin : begin + packed]


def _words(error: Exception) -> str:
    return "bad checksum" if isinstance(error, zipfile.BadZipFile) else str(error)


def _starts(file: BinaryIO, directory: Directory) -> array[int]:
    """Where each member begins, sorted: eight bytes each."""
    starts = array("Q")
    with contextlib.suppress(ImageError):
        starts.extend(entry.start for entry in entries_of(file, directory) if not entry.damage)
        # ^ whoever reads the entries themselves will tell
    return array("Q", sorted(starts))


def _room(entry: Entry, starts: array[int], directory: Directory) -> int:
    """The bytes from a member's start to where another begins, 0 where one begins at the same place."""
    after = bisect.bisect_right(starts, entry.start)
    if after >= 2 and starts[after - 2] == entry.start:
        return 0
    return (starts[after] if after < len(starts) else directory.start) - entry.start


def _found(entry: Entry, room: int) -> Member | Fault:
    if entry.flags & _ENCRYPTED:
        return Fault(entry.name, "an encrypted member of an archive, which is not read")
    if stat.S_IFMT(entry.mode) not in (0, stat.S_IFREG):
        what = "a symbolic link" if stat.S_ISLNK(entry.mode) else "a pipe, socket or device"
        return Fault(entry.name, f"{what} in an archive, which is not followed")
    if entry.damage:
        return Fault(entry.name, entry.damage, DecoderFailed.error)
    if entry.method not in _READ:
        name = _METHODS.get(entry.method, "an unknown method")
        words = f"compressed by {name} ({entry.method}), and only {' and '.join(_READ.values())} are read"
        return Fault(entry.name, words)
    if _HEADER.size + entry.packed > room:
        return Fault(entry.name, "its bytes are those of another member too", DecoderFailed.error)
    if _lies(entry):
        return Fault(entry.name, "its sizes in the archive's directory cannot be", DecoderFailed.error)
    return Member(entry.name, entry.size, f"{entry.start} {entry.packed} {entry.method} {entry.crc}")


def _lies(entry: Entry) -> bool:
    """Whether the sizes contradict each other; what is deflated is hardly larger than before."""
    if entry.method == zipfile.ZIP_STORED:
        return entry.packed != entry.size
    return entry.packed > 2 * entry.size + 1024
