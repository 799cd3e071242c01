"""How long decoding may take at most, told from a file's header before any pixel is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from PIL import Image, ImageFile

from flatpipe.decode.header import ImageHeader

_NANOSECONDS = {"JPEG": 12, "WEBP": 60, "AVIF": 120, "HEIF": 300, "JPEG2000": 700}
_NANOSECONDS_OTHERWISE = 40
_NANOSECONDS_IN_PYTHON = 4_000
_NANOSECONDS_A_SCAN = 3
# ^ for a pixel: two to three times of what was measured, so that a slow or busy machine keeps within it
_HOLD_THE_INTERPRETER = frozenset({"JPEG2000", "ICNS"})
# ^ Pillow's decoder of JPEG 2000 lets no other thread run and no signal be heard, and no size in the header bounds its
#   work; icons hold such pictures
_COMPOSITED = frozenset({"GIF", "PNG", "WEBP", "AVIF", "FLI"})
# ^ formats whose later frames are drawn over all that come before

_START_OF_SCAN = b"\xff\xda"
_SHORTEST_SEGMENT = 2


class TakesLong(Exception):
    """Decoding may take longer than the caller has patience for; no pixel has been decoded."""


@dataclass(frozen=True, slots=True)
class Patience:
    """What decoding in this very thread may take."""

    seconds: float
    # ^ by the estimate, which is generous
    has_company: bool
    # ^ whether other threads of the process go on meanwhile: then no decoder may hold the interpreter


def check_patience(image: ImageFile.ImageFile, header: ImageHeader, content: bytes, frame: int, here: Patience) -> None:
    """Raise TakesLong for an opened file whose decoding is not for this thread."""
    holds = here.has_company and header.format in _HOLD_THE_INTERPRETER
    if holds or most_seconds(image, header, content, frame) > here.seconds:
        raise TakesLong


def most_seconds(image: ImageFile.ImageFile, header: ImageHeader, content: bytes, frame: int) -> float:
    """What decoding one frame of an opened file may take on a slow machine."""
    each = float(_NANOSECONDS.get(header.format, _NANOSECONDS_OTHERWISE))
    if any(tile.codec_name in Image.DECODERS for tile in image.tile):
        each = _NANOSECONDS_IN_PYTHON
    if header.format == "JPEG":
        each += _NANOSECONDS_A_SCAN * jpeg_scans(content)
    times = (1 + header.deep) * (frame + 1 if header.format in _COMPOSITED else 1)
    # ^ 16-bit colour is decoded twice
    return header.pixels * each * times / 1e9


def jpeg_scans(content: bytes) -> int:
    """How many scans the decoder of a JPEG goes through, each over all its pixels: 1 for most files.

    A file that shows up by and by has about ten. Nothing but a file's size limits them, and a scan may be 13 bytes.
    """
    at, components = 2, 0
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker, (length,) = content[at + 1], struct.unpack_from(">H", content, at + 2)
        if marker == 0xDA:
            return 1 if content[at + 4 : at + 5] == bytes([components]) else content.count(_START_OF_SCAN)
        if marker in (0xC0, 0xC1):
            components = content[at + 9] if at + 9 < len(content) else 0
            # ^ only of these; of others, progressive ones among them, every scan counts
        at += 1 if marker == 0xFF else 2 + max(length, _SHORTEST_SEGMENT)
    return content.count(_START_OF_SCAN)
