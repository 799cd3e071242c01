"""Whether a file breaks off before the image that it announces does, told from its structure."""

from __future__ import annotations

import struct

from flatpipe.decode.formats import brands
from flatpipe.decode.tiff_rules import first_directory, tag_values

_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES = 273, 279, 324, 325
_CODESTREAM_END = b"\xff\xd9"
# ^ cannot occur inside a JPEG 2000 packet, so wherever it stands, it is the end


def ends_early(kind: str, content: bytes, ran_out: bool) -> bool:
    """Whether a file that its decoder refused is truncated; `ran_out`: the decoder asked for bytes beyond the end.

    Where a decoder reads in small portions, its asking is proof. Those that read ahead or take the whole file at once
    are judged by what the file announces: chunk sizes (WebP, AVIF, HEIF), strips (TIFF), the end marker (JPEG 2000).
    """
    if kind == "JPEG2000":
        return _CODESTREAM_END not in content
    if ran_out:
        return True
    if kind == "WEBP":
        return int.from_bytes(content[4:8], "little") + 8 > len(content)
    if kind in ("AVIF", "HEIF"):
        return _boxes_end(content) > len(content)
    return kind == "TIFF" and _tiff_end(content) > len(content)


def _boxes_end(content: bytes) -> int:
    """Where the last top-level box of an ISO media file says that it ends."""
    at = 0
    while brands(content) and at + 8 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        if size == 1 and at + 16 <= len(content):
            (size,) = struct.unpack_from(">Q", content, at + 8)
        if size < 8:
            return len(content)
            # ^ 0 means "to the end of the file", anything else is damage
        at += size
    return at


def _tiff_end(content: bytes) -> int:
    """Where the last strip, tile or value of a TIFF's first directory says that it ends."""
    tags = first_directory(content)
    offsets = tag_values(content, tags, _STRIP_OFFSETS) or tag_values(content, tags, _TILE_OFFSETS)
    sizes = tag_values(content, tags, _STRIP_BYTES) or tag_values(content, tags, _TILE_BYTES)
    ends = [offset + size for offset, size in zip(offsets, sizes, strict=False)]
    return max(ends + [entry.end for entry in tags.values()], default=0)
