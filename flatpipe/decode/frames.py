"""How many frames or pages a file holds, counted by walking its structure: nothing is decoded, nothing is trusted."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator


def count_stored_frames(kind: str, content: bytes) -> int | None:
    """Frames of a GIF, APNG, WebP or TIFF as far as its structure is whole, at least 1; None for other formats.

    Pillow counts GIF and TIFF frames by parsing each into objects, which takes seconds for 100,000 frames, and
    believes an APNG's own claim; these walks take milliseconds and stop at the end of the file.
    """
    counter = _COUNTERS.get(kind)
    return None if counter is None else max(1, counter(content))


def _count_gif(content: bytes) -> int:
    at = 13 + _color_table_bytes(content, 10)
    frames = 0
    while at < len(content):
        block, at = content[at], at + 1
        if block == 0x3B:
            break
        if block == 0x21:
            at = _after_sub_blocks(content, at + 1)
        elif block == 0x2C:
            if at + 9 >= len(content):
                break
            frames += 1
            at = _after_sub_blocks(content, at + 9 + _color_table_bytes(content, at + 8) + 1)
    return frames


def _color_table_bytes(content: bytes, flags_at: int) -> int:
    if flags_at >= len(content) or not content[flags_at] & 0x80:
        return 0
    return 6 << (content[flags_at] & 7)


def _after_sub_blocks(content: bytes, at: int) -> int:
    end = len(content)
    while at < end and (length := content[at]):
        at += length + 1
    return at + 1


def png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start of the data and length of each chunk of a PNG; ends where the file does or a length is absurd."""
    at = 8
    while at + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        if at + 12 + length > len(content):
            return
        yield name, at + 8, length
        at += 12 + length


def _count_png(content: bytes) -> int:
    claimed, controls, alone = 0, 0, False
    for name, at, length in png_chunks(content):
        if name == b"acTL" and length >= 8 and not claimed:
            claimed = int.from_bytes(content[at : at + 4], "big")
        elif name == b"IDAT" and not claimed:
            return 1
        elif name == b"IDAT" and not controls:
            alone = True
            # ^ a picture for viewers without animation, that Pillow calls the first frame
        elif name == b"fcTL":
            controls += 1
    return min(claimed, controls) + alone


def _count_webp(content: bytes) -> int:
    at, frames = 12, 0
    while at + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        frames += name == b"ANMF"
        at += 8 + length + (length & 1)
    return frames


def tiff_directories(content: bytes) -> Iterator[tuple[str, bool, int]]:
    """Byte order, whether it is BigTIFF, and offset of each directory in a TIFF's chain; ends at a loop or the end."""
    order = "<" if content[:1] == b"I" else ">"
    big = 43 in content[2:4]
    pointer, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    count_bytes = struct.calcsize(order + count)
    seen: set[int] = set()
    try:
        (offset,) = struct.unpack_from(order + pointer, content, 8 if big else 4)
        while offset and offset not in seen:
            (entries,) = struct.unpack_from(order + count, content, offset)
            yield order, big, offset
            seen.add(offset)
            (offset,) = struct.unpack_from(order + pointer, content, offset + count_bytes + entries * entry)
    except (struct.error, OverflowError):
        return


def _count_tiff(content: bytes) -> int:
    return sum(1 for _ in tiff_directories(content))


_COUNTERS: dict[str, Callable[[bytes], int]] = {
    "GIF": _count_gif,
    "PNG": _count_png,
    "WEBP": _count_webp,
    "TIFF": _count_tiff,
}
