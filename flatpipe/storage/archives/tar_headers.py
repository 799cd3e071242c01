"""The headers of a tar file, one after another, in little memory whatever it says of itself.

The blocks themselves are read by tarfile; what stands between them is walked here, because tarfile takes a whole
extended header into memory, calls itself for each that follows another, and searches them in quadratic time.
Format: POSIX.1-2008, pax, "pax Interchange Format"; GNU tar's manual, "Basic Tar Format".
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from flatpipe.errors import DecoderFailed, TruncatedImage, UnsupportedImage
from flatpipe.storage.archives.streams import Forward
from flatpipe.text import in_bytes

_BLOCK = tarfile.BLOCKSIZE
_LONGEST = 1 << 20
# ^ bytes of one extended header; names and dates take some hundred
_MOST_IN_A_ROW = 32
# ^ extended headers before one member; there are four kinds
_MORE_BLOCKS, _MORE_AGAIN = 482, 504
# ^ where GNU's old sparse header, and each block that follows it, says that another follows
_NAME_BYTES, _MAGIC_AT = 100, 257
_EXTENDED = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)
NO_TAR = "this is no tar archive, whatever its name says"


@dataclass(frozen=True, slots=True)
class Header:
    """One member as its headers describe it."""

    name: str
    kind: bytes
    # ^ as tarfile has its types
    target: str
    # ^ of a link
    start: int
    # ^ of its bytes
    size: int
    is_sparse: bool


@dataclass(slots=True)
class _Walk:
    """Where we are."""

    stream: Forward
    at: int = 0

    def block(self) -> bytes:
        """The next block, b"" where the archive ends; raises TruncatedImage within one."""
        block = self.stream.read(_BLOCK)
        self.at += len(block)
        if 0 < len(block) < _BLOCK:
            if self.at < _BLOCK:
                raise UnsupportedImage(NO_TAR)
            raise TruncatedImage(f"the archive ends within a header, at byte {self.at:,}")
        return block

    def skip(self, size: int) -> bool:
        """Pass over bytes; whether they were there."""
        self.at += size
        return self.stream.skip(size)

    def payload(self, size: int) -> bytes:
        """What an extended header holds."""
        if size > _LONGEST:
            words = f"a header of {in_bytes(size)}, and {in_bytes(_LONGEST)} at most are read"
            raise DecoderFailed(f"the archive has {words}, at byte {self.at:,}; what follows is not read")
        padded = size + _padding(size)
        content = self.stream.read(padded)
        self.at += len(content)
        if len(content) < padded:
            raise TruncatedImage(f"the archive ends within a header, at byte {self.at:,}")
        return content[:size]


@dataclass(slots=True)
class _Extended:
    """What extended headers say of the member that follows them."""

    name: bytes | None = None
    target: bytes | None = None
    size: int | None = None
    is_sparse: bool = False
    count: int = 0

    def add(self, kind: bytes, content: bytes, at: int) -> None:
        self.count += 1
        if self.count > _MOST_IN_A_ROW:
            raise DecoderFailed(f"the archive has more than {_MOST_IN_A_ROW} headers for one member, at byte {at:,}")
        if kind == tarfile.GNUTYPE_LONGNAME:
            self.name = content.rstrip(b"\0")
        elif kind == tarfile.GNUTYPE_LONGLINK:
            self.target = content.rstrip(b"\0")
        elif kind != tarfile.XGLTYPE:
            self._take(_pax_records(content, at), at)
        # ^ a global header has dates and comments; names and sizes of all members at once would make no sense

    def _take(self, records: dict[bytes, bytes], at: int) -> None:
        self.name = records.get(b"path", self.name)
        self.target = records.get(b"linkpath", self.target)
        self.is_sparse |= any(word.startswith(b"GNU.sparse.") for word in records)
        if size := records.get(b"size"):
            if not size.isdigit() or len(size) > _DIGITS:
                raise DecoderFailed(f"the archive has a size that is no number, before byte {at:,}")
            self.size = int(size)


_DIGITS = 20
# ^ of any number that an extended header may have


def headers(stream: Forward) -> Iterator[Header]:
    """Each member's header, once all its bytes have been passed over.

    Raises an ImageError after the last that is whole, where the archive is not, and OSError.
    """
    walk = _Walk(stream)
    extended = _Extended()
    while (block := walk.block()).strip(b"\0"):
        parsed = _parsed(block, walk.at - _BLOCK)
        if parsed.type in _EXTENDED:
            extended.add(parsed.type, walk.payload(parsed.size), walk.at)
            continue
        header = _header(parsed, extended, walk, block)
        size = header.size if _has_bytes(header.kind) else 0
        if not walk.skip(size):
            raise TruncatedImage(f"the archive ends within {header.name}; what follows it is missing")
        yield header
        walk.skip(_padding(size))
        extended = _Extended()
    if not block:
        if not walk.at:
            raise TruncatedImage("the file is empty")
        raise TruncatedImage("the archive has no end mark: what it held behind is missing")
    stream.finish()


def _parsed(block: bytes, at: int) -> tarfile.TarInfo:
    try:
        parsed = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError as error:
        if at == 0:
            raise UnsupportedImage(NO_TAR) from error
        raise DecoderFailed(f"the archive is damaged at byte {at:,} ({error}); what follows is not read") from error
    if parsed.size < 0:
        raise DecoderFailed(f"the archive has a size below zero at byte {at:,}; what follows is not read")
    return parsed


def _header(parsed: tarfile.TarInfo, extended: _Extended, walk: _Walk, block: bytes) -> Header:
    is_old_sparse = parsed.type == tarfile.GNUTYPE_SPARSE
    if is_old_sparse and block[_MORE_BLOCKS]:
        while (more := walk.block()) and more[_MORE_AGAIN]:
            pass
    return Header(
        name=_name(parsed, block) if extended.name is None else extended.name.decode("utf-8", "surrogateescape"),
        kind=parsed.type,
        target=parsed.linkname if extended.target is None else extended.target.decode("utf-8", "surrogateescape"),
        start=walk.at,
        size=parsed.size if extended.size is None else extended.size,
        is_sparse=is_old_sparse or extended.is_sparse,
    )


def _name(parsed: tarfile.TarInfo, block: bytes) -> str:
    """The name that stands in a header itself."""
    if not block.startswith(tarfile.GNU_MAGIC, _MAGIC_AT):
        return parsed.name
    return block[:_NAME_BYTES].partition(b"\0")[0].decode("utf-8", "surrogateescape")
    # ^ where others have a longer name's beginning, which tarfile puts before it, GNU's incremental archives have dates


def _has_bytes(kind: bytes) -> bool:
    """Whether bytes follow a header of this type: those of files, and of what is not known."""
    return kind in tarfile.REGULAR_TYPES or kind not in tarfile.SUPPORTED_TYPES


def _padding(size: int) -> int:
    return -size % _BLOCK


def _pax_records(content: bytes, at: int) -> dict[bytes, bytes]:
    """The keywords of an extended header: lines of `LENGTH KEYWORD=VALUE`."""
    records: dict[bytes, bytes] = {}
    start = 0
    while start < len(content) and content[start]:
        digits, _, _ = content[start : start + _DIGITS].partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < _DIGITS else 0
        record = content[start + len(digits) + 1 : start + length]
        if length <= len(digits) + 1 or start + length > len(content) or not record.endswith(b"\n"):
            raise DecoderFailed(f"the archive has an extended header that is damaged, before byte {at:,}")
        keyword, _, value = record[:-1].partition(b"=")
        records[keyword] = value
        start += length
    return records
