"""A second try for files that are whole where it matters: PNG with damaged side chunks, JPEG without its end."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from flatpipe.decode.frames import png_chunks
from flatpipe.errors import DecoderFailed, ImageError, TruncatedImage
from flatpipe.settings import DecodePolicy

_JPEG_END = b"\xff\xd9"
_NEEDED = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_WELCOME = frozenset({b"tRNS", b"gAMA", b"sRGB", b"iCCP", b"eXIf"})
_LARGEST_PROFILE = 1 << 20
# ^ bytes after inflating: what Pillow accepts


class Repaired(NamedTuple):
    """Bytes worth a second try, and the note that says what was done to them."""

    content: bytes
    note: str


def repaired(kind: str, content: bytes, policy: DecodePolicy, error: ImageError) -> Repaired | None:
    """Bytes that may decode where `content` failed with `error`; None when there is nothing to be done.

    PNG: without text, animation and any ancillary chunk that is damaged or a bomb (what is critical stays as it is, and
    fails again if that was the trouble). JPEG, when the policy fills truncated files: with an end, so that libjpeg
    hands out what it has.
    """
    if kind == "PNG" and isinstance(error, DecoderFailed):
        cleaned = _without_side_chunks(content)
        return Repaired(cleaned, "damaged side chunks skipped") if cleaned != content else None
    if kind == "JPEG" and isinstance(error, TruncatedImage) and policy.truncated == "fill":
        return Repaired(content + _JPEG_END, "truncated: rest filled")
    return None


def _without_side_chunks(content: bytes) -> bytes:
    kept = [content[:8]]
    end = 8
    for name, at, length in png_chunks(content):
        end = at + length + 4
        if name in _NEEDED or (name in _WELCOME and _is_sound(name, content, at, length)):
            kept.append(content[at - 8 : end])
    if content[end + 4 : end + 8] in _NEEDED:
        kept.append(content[end:])
        # ^ the chunk in which the file breaks off: the decoder shall see the same end
    return b"".join(kept)


def _is_sound(name: bytes, content: bytes, at: int, length: int) -> bool:
    (stored,) = struct.unpack_from(">I", content, at + length)
    if zlib.crc32(content[at - 4 : at + length]) != stored:
        return False
    minimum = {b"gAMA": 4, b"sRGB": 1, b"tRNS": 1, b"eXIf": 8, b"iCCP": 3}[name]
    return length >= minimum and (name != b"iCCP" or _inflates(content[at : at + length]))


def _inflates(chunk: bytes) -> bool:
    method = chunk.find(b"\0") + 1
    if not 0 < method < len(chunk) or chunk[method] != 0:
        return False
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(chunk[method + 1 :], _LARGEST_PROFILE)
    except zlib.error:
        return False
    return not inflater.unconsumed_tail
