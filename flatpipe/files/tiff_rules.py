"""What must hold of a TIFF before libtiff sees it: sane tiles, and no camera RAW in disguise."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from flatpipe.errors import DecoderFailed, ImageTooLarge, UnsupportedImage
from flatpipe.files.frames import tiff_directories
from flatpipe.records import DecodePolicy

_NEW_SUBFILE_TYPE, _WIDTH, _LENGTH, _BITS, _PHOTOMETRIC = 254, 256, 257, 258, 262
_STRIP_OFFSETS, _SAMPLES_PER_PIXEL, _ROWS_PER_STRIP, _SUB_IFDS = 273, 277, 278, 330
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _MAKE, _DNG_VERSION = 322, 323, 324, 271, 50706
_CFA, _LINEAR_RAW = 32803, 34892
_TYPE_BYTES = {1: 1, 3: 2, 4: 4, 16: 8}
# ^ BYTE, SHORT, LONG, LONG8: the types that a count or size may have
_SMALL_TILE = 4096 * 4096
# ^ pixels: a tile up to this size may be larger than its image (it is padding), a larger one is refused


@dataclass(frozen=True, slots=True)
class _Entry:
    """How many values a tag has, and the first of them."""

    count: int
    first: int


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


def _check_pieces(offsets: _Entry | None, expected: int, tags: dict[int, _Entry]) -> None:
    allowed = 4 * expected * max(1, _value(tags, _SAMPLES_PER_PIXEL)) + 64
    # ^ some writers pad their lists; what matters is that the work stays in proportion to the pixels
    if offsets is not None and offsets.count > allowed:
        raise DecoderFailed(f"TIFF: {offsets.count:,} strips or tiles where {expected:,} make the image")


def _is_camera_raw(tags: dict[int, _Entry]) -> bool:
    if _DNG_VERSION in tags or _value(tags, _PHOTOMETRIC) in (_CFA, _LINEAR_RAW):
        return True
    is_preview = bool(_value(tags, _NEW_SUBFILE_TYPE) & 1)
    return is_preview and _SUB_IFDS in tags and _MAKE in tags


def _value(tags: dict[int, _Entry], tag: int) -> int:
    return tags[tag].first if tag in tags else 0


def first_directory(content: bytes) -> dict[int, _Entry]:
    """Tags of a TIFF's first directory: count and first value (0 for types that are no plain integers)."""
    for order, big, offset in tiff_directories(content):
        return _entries(content, order, big, offset)
    return {}


def _entries(content: bytes, order: str, big: bool, offset: int) -> dict[int, _Entry]:
    count_code, entry_code, entry_bytes, inline = ("Q", "HHQ", 20, 8) if big else ("H", "HHI", 12, 4)
    (entries,) = struct.unpack_from(order + count_code, content, offset)
    begin = offset + struct.calcsize(order + count_code)
    tags: dict[int, _Entry] = {}
    for index in range(min(entries, 4096)):
        at = begin + index * entry_bytes
        try:
            tag, kind, count = struct.unpack_from(order + entry_code, content, at)
        except struct.error:
            break
        tags[tag] = _Entry(count, _first_value(content, order, kind, count, at + entry_bytes - inline, inline))
    return tags


def _first_value(content: bytes, order: str, kind: int, count: int, at: int, inline: int) -> int:
    size = _TYPE_BYTES.get(kind)
    if size is None or not count:
        return 0
    endian: Literal["little", "big"] = "little" if order == "<" else "big"
    if size * count > inline:
        at = int.from_bytes(content[at : at + inline], endian)
    return int.from_bytes(content[at : at + size], endian)
