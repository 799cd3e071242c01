"""Palettes that stand in other binary files: Microsoft's RIFF palettes (.pal) and indexed PNG pictures."""

from __future__ import annotations

import zlib

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette
from flatpipe.palettes.readers.gathering import Gathering
from flatpipe.palettes.readers.stream import Stream

PNG_SIGN = b"\x89PNG\r\n\x1a\n"
_INDEXED = 3
_MOST_PARTS = 4096
_NO_PALETTE = f"no palette among its first {_MOST_PARTS:,} parts"
_KINDS = {0: "grey", 2: "true colour", 4: "grey with opacity", 6: "true colour with opacity"}


def read_riff(content: bytes) -> Palette:
    """The colours of a RIFF palette; their flags are not read."""
    form = content[8:12]
    if form != b"PAL ":
        raise ConfigError(f"byte 8: a RIFF file of the kind {form.decode('latin-1')!a}; a palette's is 'PAL '")
    stream = Stream(content, 12)
    for _ in range(_MOST_PARTS):
        name, size = stream.numbers("<4sI", "the list of colours")
        chunk = stream.part(size, f"the part {name.decode('latin-1')!a}")
        if name == b"data":
            return _log_palette(chunk)
        if size % 2 and stream.left:
            stream.take(1, "a filling byte")
    raise ConfigError(f"byte {stream.at:,}: {_NO_PALETTE}")


def _log_palette(chunk: Stream) -> Palette:
    version, count = chunk.numbers("<HH", "the count")
    if version != 0x0300:
        raise ConfigError(f"byte {chunk.at - 4:,}: version {version:#06x} of the format is not known; 0x0300 is")
    if 4 * count > chunk.left:
        raise ConfigError(f"byte {chunk.at - 2:,}: it counts {count:,} colours, and has room for {chunk.left // 4:,}")
    gathering = Gathering()
    for _ in range(count):
        red, green, blue, _flags = chunk.take(4, "a colour")
        gathering.add((red, green, blue))
    return gathering.palette()


def read_png(content: bytes) -> Palette:
    """The palette of an indexed PNG in the order of its index; nothing of its pixels is read."""
    stream, colors, remarks = Stream(content, 8), b"", list[str]()
    for _ in range(_MOST_PARTS):
        size, kind = stream.numbers(">I4s", "the palette (PLTE)")
        at = stream.at
        body = stream.take(size, f"the part {kind.decode('latin-1')!a}")
        (checksum,) = stream.numbers(">I", "a checksum")
        if kind in (b"IHDR", b"PLTE") and checksum != zlib.crc32(kind + body):
            raise ConfigError(f"byte {at:,}: the checksum of {kind.decode()} is wrong; the file is damaged")
        if kind == b"IHDR":
            _check_indexed(body, at)
        elif kind == b"PLTE":
            colors = body
        elif kind == b"tRNS":
            remarks.append(_said_of_opacity(body))
        elif kind == b"iCCP":
            remarks.append("its colour profile is not applied")
        elif kind in (b"IDAT", b"IEND"):
            return _of_triples(colors, at, remarks)
    raise ConfigError(f"byte {stream.at:,}: {_NO_PALETTE}")


def _check_indexed(header: bytes, at: int) -> None:
    kind = header[9] if len(header) == 13 else -1
    if kind != _INDEXED:
        raise ConfigError(f"byte {at:,}: a PNG of {_KINDS.get(kind, 'no known kind')}; an indexed one has a palette")


def _said_of_opacity(opacities: bytes) -> str:
    rows = [row for row, opacity in enumerate(opacities[:256]) if opacity < 255]
    shown = ", ".join(map(str, rows[:8])) + ", ..." * (len(rows) > 8)
    return f"its opacity is not read, that of row {shown}" if rows else "its opacity is not read; all is opaque"


def _of_triples(colors: bytes, at: int, remarks: list[str]) -> Palette:
    if len(colors) % 3 or len(colors) > 768:
        raise ConfigError(
            f"byte {at:,}: a palette of {len(colors):,} bytes; three for each of 1 to 256 colours are allowed"
        )
    gathering = Gathering()
    for row in range(0, len(colors), 3):
        gathering.add((colors[row], colors[row + 1], colors[row + 2]))
    return gathering.palette("", *remarks)
