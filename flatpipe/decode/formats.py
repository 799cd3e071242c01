"""What a file is, judged by its content alone: the allow-list of decoders, and names for what is refused."""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from flatpipe.decode.formats_refused import refused_by_name
from flatpipe.errors import DecoderFailed, ImageError, NotAnImage, UnsupportedImage


class _Magic(NamedTuple):
    """One format of the allow-list: Pillow's name for it, and the bytes by which it is known."""

    name: str
    prefix: bytes


_MAGICS = (
    _Magic("JPEG", b"\xff\xd8\xff"),
    _Magic("PNG", b"\x89PNG\r\n\x1a\n"),
    _Magic("GIF", b"GIF87a"),
    _Magic("GIF", b"GIF89a"),
    _Magic("TIFF", b"II\x2a\x00"),
    _Magic("TIFF", b"MM\x00\x2a"),
    _Magic("TIFF", b"II\x2b\x00"),
    _Magic("TIFF", b"MM\x00\x2b"),
    _Magic("TIFF", b"MM\x2a\x00"),
    _Magic("TIFF", b"II\x00\x2a"),
    # ^ the last two: byte order swapped by faulty writers, but read by everybody
    _Magic("JPEG2000", b"\x00\x00\x00\x0cjP  \r\n\x87\n"),
    _Magic("JPEG2000", b"\xff\x4f\xff\x51"),
    _Magic("BMP", b"BM"),
    _Magic("PSD", b"8BPS"),
    _Magic("QOI", b"qoif"),
    _Magic("DDS", b"DDS "),
    _Magic("ICO", b"\x00\x00\x01\x00"),
    _Magic("ICNS", b"icns"),
    _Magic("SGI", b"\x01\xda"),
    _Magic("SUN", b"\x59\xa6\x6a\x95"),
    _Magic("DCX", b"\xb1\x68\xde\x3a"),
    _Magic("XPM", b"/* XPM */"),
    _Magic("MSP", b"DanM"),
    _Magic("MSP", b"LinS"),
)

_DIB_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}


def _is_cursor(content: bytes) -> bool:
    # ^ the first bytes of an uncompressed TGA are the same, but such a one has zeros where a cursor has its count
    return content[:4] == b"\x00\x00\x02\x00" and content[4:6] != b"\x00\x00"


def _is_webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def brands(content: bytes) -> set[bytes]:
    """Brands of an ISO media file (AVIF, HEIF, MP4, ...), the major one included; empty when it is none."""
    if content[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(content[:4], "big"), 512, len(content))
    return {content[8:12]} | {content[at : at + 4] for at in range(16, end - 3, 4)}


def _is_avif(content: bytes) -> bool:
    return bool(brands(content) & _AVIF_BRANDS)


def _is_heif(content: bytes) -> bool:
    return bool(brands(content) & _HEIF_BRANDS)


def _is_ppm(content: bytes) -> bool:
    return re.match(rb"(P[1-6]|Pf|PyP|PyRGBA|PyCMYK|P0CMYK)[ \t\r\n\v\f#]", content) is not None


def _is_pcx(content: bytes) -> bool:
    return len(content) >= 128 and content[0] == 10 and content[1] in (0, 2, 3, 5) and content[2] in (0, 1)


def _is_fli(content: bytes) -> bool:
    return len(content) >= 128 and content[4:6] in (b"\x11\xaf", b"\x12\xaf") and content[14:16] in (b"\0\0", b"\3\0")


def _is_dib(content: bytes) -> bool:
    if len(content) < 16 or int.from_bytes(content[:4], "little") not in _DIB_HEADER_SIZES:
        return False
    at = 8 if content[0] == 12 else 12
    planes, bits = struct.unpack_from("<HH", content, at)
    return planes == 1 and bits in (0, 1, 2, 4, 8, 16, 24, 32)


def is_sound_bitmap(content: bytes) -> bool:
    """Whether a BMP's or DIB's header holds only values that the format knows, though few decoders do."""
    info = content[14:] if content[:2] == b"BM" else content
    if len(info) < 40 or int.from_bytes(info[:4], "little") not in range(12, 125):
        return False
    bits, compression = struct.unpack_from("<HI", info, 14)
    (colors,) = struct.unpack_from("<I", info, 32)
    return bits in (0, 1, 2, 4, 8, 16, 24, 32, 64) and compression <= 13 and colors <= 65536


def _is_xbm(content: bytes) -> bool:
    return re.match(rb"\s*(/\*.*?\*/\s*)?#define[ \t]+\S*_width[ \t]+\d+", content[:1024], re.DOTALL) is not None


def _is_tga(content: bytes) -> bool:
    # ^ TGA has no magic at its start: only a header that is right in every field is believed
    if len(content) < 18 + 3:
        return False
    map_type, kind, map_first, map_length, map_bits = struct.unpack_from("<xBBHHB", content)
    width, height, bits, flags = struct.unpack_from("<HHBB", content, 12)
    if map_type > 1 or kind not in (1, 2, 3, 9, 10, 11) or not width or not height or flags & 0xC0:
        return False
    if kind in (1, 9) and (map_type == 0) != (map_length == 0):
        return False
    map_is_right = map_bits in (15, 16, 24, 32) if map_type else not map_first and map_bits in (0, 8, 24, 32)
    depths = {1: (8, 16), 2: (15, 16, 24, 32), 3: (1, 8, 16)}
    return map_is_right and bits in depths[kind & 7]


_CHECKS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("CUR", _is_cursor),
    ("WEBP", _is_webp),
    ("AVIF", _is_avif),
    ("HEIF", _is_heif),
    ("PPM", _is_ppm),
    ("PCX", _is_pcx),
    ("FLI", _is_fli),
    ("DIB", _is_dib),
    ("XBM", _is_xbm),
    ("TGA", _is_tga),
)

FORMATS = frozenset([magic.name for magic in _MAGICS] + [name for name, _ in _CHECKS])
# ^ every decoder that may ever run. Nothing here starts a program or asks the system to render


def sniff(content: bytes) -> str:
    """Pillow's name of the format that the bytes are in; raises NotAnImage or UnsupportedImage when we do not read it.

    The refusals are tried first where a forbidden format hides behind a permitted magic (camera RAW looks like TIFF).
    """
    refusal = refused_by_name(content)
    if refusal is not None:
        raise refusal
    for magic in _MAGICS:
        if content.startswith(magic.prefix):
            return magic.name
    for name, is_it in _CHECKS:
        if is_it(content):
            return name
    raise _unknown(content)


def _unknown(content: bytes) -> ImageError:
    if content.startswith(b"\x89PNG"):
        return DecoderFailed("a PNG whose signature is damaged: copied in text mode?")
    if not content.strip(b"\x00"):
        return NotAnImage(f"nothing but {len(content):,} zero bytes")
    if content[4:8] == b"ftyp":
        return UnsupportedImage(f"an ISO media file of brand {content[8:12]!r}")
    if _is_text(content[:512]):
        return NotAnImage("text, not an image")
    return NotAnImage(f"of no image format that we know (it begins with {content[:8].hex(' ')})")


def _is_text(beginning: bytes) -> bool:
    letters = codecs.getincrementaldecoder("utf-8")()
    # ^ incremental: a letter may be cut in two at the end of the beginning
    try:
        return re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", letters.decode(beginning)) is None
    except UnicodeDecodeError:
        return False
