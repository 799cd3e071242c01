"""What must hold of a TIFF before libtiff sees it: sane tiles, and no camera RAW in disguise."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from flatpipe.decode.frames import tiff_directories
from flatpipe.errors import DecoderFailed, ImageTooLarge, UnsupportedImage
from flatpipe.settings import DecodePolicy

_NEW_SUBFILE_TYPE, _WIDTH, _LENGTH, _BITS, _PHOTOMETRIC = 254, 256, 257, 258, 262
_STRIP_OFFSETS, _SAMPLES_PER_PIXEL, _ROWS_PER_STRIP, _SUB_IFDS = 273, 277, 278, 330
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _MAKE, _DNG_VERSION = 322, 323, 324, 271, 50706
_COMPRESSION = 259
_RARE_COMPRESSIONS = {
    34661: "JBIG",
    34887: "LERC",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_CFA, _LINEAR_RAW = 32803, 34892
_TYPE_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
# ^ BYTE, SHORT, LONG, IFD, LONG8, IFD8 as struct codes: the types that a count, size or offset may have
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MOST_TAGS = 4096
_SMALL_TILE = 4096 * 4096
# ^ pixels: a tile up to this size may be larger than its image (it is padding), a larger one is refused


@dataclass(frozen=True, slots=True)
class TagEntry:
    """How many values a tag has, where they are, and the first of them."""

    count: int
    first: int
    # ^ 0 for types that are no plain integers
    at: int
    end: int
    # ^ offsets in the file where the values begin and end
    code: str
    # ^ struct code of one value, with its byte order; empty for types that are no plain integers


def rare_compression(content: bytes) -> str | None:
    """Name of a TIFF's compression when it is one that many builds of libtiff lack; None for the usual ones."""
    return _RARE_COMPRESSIONS.get(_value(first_directory(content), _COMPRESSION))


def check_tiff(content: bytes, policy: DecodePolicy) -> None:
    """Raise UnsupportedImage for camera RAW, ImageTooLarge or DecoderFailed for absurd tiles in the first directory."""
    tags = first_directory(content)
    if _is_camera_raw(tags):
        raise UnsupportedImage("camera RAW (a TIFF of sensor data and previews): develop it first")
    width, height = _value(tags, _WIDTH), _value(tags, _LENGTH)
    if not width or not height:
        return
    tile_width, tile_length = _value(tags, _TILE_WIDTH), _value(tags, _TILE_LENGTH)
    if tile_width and tile_length:
        tile = tile_width * tile_length
        if tile > max(_SMALL_TILE, 2 * width * height) or tile > 2 * policy.max_pixels:
            raise ImageTooLarge(
                f"TIFF: tiles of {tile_width:,} x {tile_length:,} pixels in an image {width:,} x {height:,}"
            )
        expected = -(-width // tile_width) * -(-height // tile_length)
        _check_pieces(tags.get(_TILE_OFFSETS), expected, tags)
    else:
        rows = _value(tags, _ROWS_PER_STRIP) or height
        _check_pieces(tags.get(_STRIP_OFFSETS), -(-height // min(rows, height)), tags)


def _check_pieces(offsets: TagEntry | None, expected: int, tags: dict[int, TagEntry]) -> None:
    allowed = 4 * expected * max(1, _value(tags, _SAMPLES_PER_PIXEL)) + 64
    # ^ some writers pad their lists; what matters is that the work stays in proportion to the pixels
    if offsets is not None and offsets.count > allowed:
        raise DecoderFailed(f"TIFF: {offsets.count:,} strips or tiles where {expected:,} make the image")


def _is_camera_raw(tags: dict[int, TagEntry]) -> bool:
    if _DNG_VERSION in tags or _value(tags, _PHOTOMETRIC) in (_CFA, _LINEAR_RAW):
        return True
    is_preview = bool(_value(tags, _NEW_SUBFILE_TYPE) & 1)
    return is_preview and _SUB_IFDS in tags and _MAKE in tags


def _value(tags: dict[int, TagEntry], tag: int) -> int:
    return tags[tag].first if tag in tags else 0


def first_directory(content: bytes) -> dict[int, TagEntry]:
    """Tags of a TIFF's first directory, as far as they are inside the file."""
    for order, big, offset in tiff_directories(content):
        return _entries(content, order, big, offset)
    return {}


def tag_values(content: bytes, tags: dict[int, TagEntry], tag: int) -> tuple[int, ...]:
    """All values of a tag of plain integers; as many as the file holds of them, none when there is no such tag."""
    entry = tags.get(tag)
    if entry is None or not entry.code:
        return ()
    fitting = (len(content) - entry.at) // struct.calcsize(entry.code)
    count = max(0, min(entry.count, fitting))
    return struct.unpack_from(f"{entry.code[0]}{count}{entry.code[1]}", content, entry.at) if count else ()


def _entries(content: bytes, order: str, big: bool, offset: int) -> dict[int, TagEntry]:
    count_code, entry_code, entry_bytes, inline = ("Q", "HHQ", 20, 8) if big else ("H", "HHI", 12, 4)
    (entries,) = struct.unpack_from(order + count_code, content, offset)
    begin = offset + struct.calcsize(order + count_code)
    tags: dict[int, TagEntry] = {}
    for index in range(min(entries, _MOST_TAGS)):
        at = begin + index * entry_bytes
        if at + entry_bytes > len(content):
            break
        tag, kind, count = struct.unpack_from(order + entry_code, content, at)
        tags[tag] = _entry(content, order, kind, count, at + entry_bytes - inline, inline)
    return tags


def _entry(content: bytes, order: str, kind: int, count: int, at: int, inline: int) -> TagEntry:
    size = _TYPE_BYTES.get(kind, 0)
    if size * count > inline:
        (at,) = struct.unpack_from(order + ("Q" if inline == 8 else "I"), content, at)
    code = _TYPE_CODES.get(kind, "")
    readable = code and count and at + size <= len(content)
    first = struct.unpack_from(order + code, content, at)[0] if readable else 0
    return TagEntry(count, first, at, at + size * count, order + code if code else "")
