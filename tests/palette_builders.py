"""Palette files, right and wrong, byte by byte: written from the formats' descriptions, not by our writers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence


def ase_name(text: str) -> bytes:
    return struct.pack(">H", len(text.encode("utf-16-be")) // 2 + 1) + text.encode("utf-16-be") + b"\0\0"


def ase_color(model: bytes, values: Sequence[float], name: bytes | None = None) -> bytes:
    body = (ase_name("a") if name is None else name) + model + struct.pack(f">{len(values)}fH", *values, 2)
    return struct.pack(">HI", 1, len(body)) + body


def ase_group(name: str) -> bytes:
    return struct.pack(">HI", 0xC001, len(ase_name(name))) + ase_name(name)


ASE_END = struct.pack(">HI", 0xC002, 0)


def ase(*blocks: bytes, count: int | None = None, version: tuple[int, int] = (1, 0)) -> bytes:
    return b"ASEF" + struct.pack(">HHI", *version, len(blocks) if count is None else count) + b"".join(blocks)


def aco(*colors: tuple[int, int, int, int, int], count: int | None = None, names: Sequence[str] = ()) -> bytes:
    number = len(colors) if count is None else count
    first = struct.pack(">HH", 1, number) + b"".join(struct.pack(">5H", *one) for one in colors)
    if not names:
        return first
    called = (struct.pack(">5HH", *one, 0) + ase_name(name) for one, name in zip(colors, names, strict=True))
    return first + struct.pack(">HH", 2, number) + b"".join(called)


def riff(colors: bytes, count: int, *, kind: bytes = b"PAL ", version: int = 0x0300, size: int | None = None) -> bytes:
    data = struct.pack("<HH", version, count) + colors
    chunk = b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + kind + chunk


def png_part(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(colors: bytes | None, *parts: bytes, kind: int = 3) -> bytes:
    header = png_part(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, kind, 0, 0, 0))
    palette = b"" if colors is None else png_part(b"PLTE", colors)
    end = png_part(b"IDAT", zlib.compress(b"\0\0")) + png_part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + palette + b"".join(parts) + end
