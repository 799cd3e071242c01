"""Flat images as palette PNG: bytes out, and back in.

Written here rather than with Pillow: the "Up" filter and runs of one byte, in Huffman codes, suit flat areas so well
that `deflate/` is an order of magnitude faster than Pillow's encoder and writes smaller files; and no library has a say
in it, so that the bytes of palette files are the same on every machine (docs/decisions.md has the figures).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.deflate.rows import NONE, UP
from flatpipe.encode.deflate.stream import zlib_stream
from flatpipe.errors import DecoderFailed
from flatpipe.quantize.palette_image import FlattenedImage, PaletteImage

Payload = bytes | memoryview
# ^ what a chunk holds

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LENGTH_AND_KIND = struct.Struct(">I4s")
_END = b"\0\0\0\0IEND\xae\x42\x60\x82"
# ^ the chunk that ends every file
_PALETTE_COLOR, _TRUECOLOR_ALPHA = 3, 6
# ^ colour types of PNG (third edition), 11.2.1
_RGBA_LEVEL = 4
# ^ of zlib, where its time and size balance


@dataclass(frozen=True, eq=False)
class SavedFlat(PaletteImage):
    """A flat image as read back, and its opacity: `alpha` (H, W) uint8, None where all is opaque."""

    alpha: NDArray[np.uint8] | None = None


def encode_png(flat: PaletteImage, alpha: NDArray[np.uint8] | None = None) -> bytes:
    """The PNG file of a flat image, with the smallest bit depth (1, 2, 4 or 8) that holds it.

    alpha (H, W) uint8 is written back untouched: as tRNS while at most 256 pairs of label and opacity occur, else as an
    RGBA file. Without alpha the file's colour table is the palette.
    """
    palette, label_map = flat.palette, flat.label_map
    if alpha is None or alpha.min() == 255:
        return _palette_png(palette, b"", label_map, _filter_of(flat, len(palette)))
    pairs = (label_map.astype(np.uint16) << 8) | alpha
    occurs = np.zeros(len(palette) << 8, dtype=bool)
    occurs[pairs] = True
    unused = ~occurs.reshape(-1, 256).any(axis=1)
    occurs[(np.flatnonzero(unused) << 8) | 255] = True
    # ^ a colour that no pixel has still stands in the table
    entries = np.flatnonzero(occurs)
    if len(entries) > 256:
        return _rgba_png(palette, label_map, alpha)
    row_of_pair = np.zeros(len(occurs), dtype=np.uint8)
    row_of_pair[entries] = np.arange(len(entries))
    opacities = (entries & 255).astype(np.uint8)
    filter_type = _filter_of(flat, len(entries))
    return _palette_png(palette[entries >> 8], opacities.tobytes(), row_of_pair[pairs], filter_type)


def decode_flat(content: bytes) -> SavedFlat:
    """The flat image that `encode_png` wrote; raises DecoderFailed when the content is damaged or not ours."""
    try:
        table, opacities, rows, color_type = _read(content)
        if color_type == _PALETTE_COLOR:
            return _from_table(table, opacities, rows)
        values = rows.reshape(len(rows), -1, 4)
        return SavedFlat(table, _labels_of(table, values), np.ascontiguousarray(values[..., 3]))
    except (ValueError, IndexError, struct.error, zlib.error) as error:
        raise DecoderFailed(f"a saved flat image cannot be read back: {error}") from error


# --- PNG, the parts that apng.py shares ------------------------------------------------------------------------------


def png_file(parts: Iterable[tuple[bytes, Payload]]) -> bytes:
    """A PNG file of chunks, each given by its kind and payload; the one that ends it is added."""
    pieces: list[Payload] = [SIGNATURE]
    for kind, payload in parts:
        pieces += _pieces(kind, payload)
    return b"".join([*pieces, _END])


def chunk(kind: bytes, payload: bytes) -> bytes:
    """One PNG chunk: length, kind, payload, CRC of the latter two."""
    return b"".join(_pieces(kind, payload))


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and payload of each chunk of a PNG file; raises ValueError and struct.error when it is damaged."""
    offset = len(SIGNATURE)
    while offset < len(content):
        (length,) = struct.unpack_from(">I", content, offset)
        whole = content[offset : offset + length + 12]
        kind, payload = whole[4:8], whole[8 : 8 + length]
        if whole != chunk(kind, payload):
            raise ValueError(f"it is damaged at byte {offset}")
        yield kind, payload
        offset += len(whole)


# --- the parts of encoding and decoding ------------------------------------------------------------------------------


def _pieces(kind: bytes, payload: Payload) -> tuple[bytes, Payload, bytes]:
    crc = zlib.crc32(payload, zlib.crc32(kind))
    return _LENGTH_AND_KIND.pack(len(payload), kind), payload, crc.to_bytes(4, "big")


def _filter_of(flat: PaletteImage, n_entries: int) -> int:
    """The filter of a palette PNG's rows: of a dithered one several pixels to a byte repeat, their differences do not.

    Measured without it: 3 to 33 % fewer bytes at k = 2 to 16; more at one pixel to a byte.
    """
    is_dithered = isinstance(flat, FlattenedImage) and flat.is_dithered
    return NONE if is_dithered and _bit_depth(n_entries) < 8 else UP


def _palette_png(
    table: NDArray[np.uint8], opacities: bytes, rows_of_table: NDArray[np.uint8], filter_type: int
) -> bytes:
    bits = _bit_depth(len(table))
    transparency = [(b"tRNS", opacities)] if opacities else []
    head = _head(rows_of_table.shape, bits, _PALETTE_COLOR, table)
    return png_file([*head, *transparency, (b"IDAT", zlib_stream(rows_of_table, bits, filter_type))])


def _rgba_png(palette: NDArray[np.uint8], label_map: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> bytes:
    """RGBA, with the palette in a PLTE chunk as PNG allows, so that it can be read back in order.

    Compressed by zlib to half the size of run lengths: four bytes a pixel leave few runs of one byte.
    """
    rows = np.dstack((palette[label_map], alpha)).reshape(len(label_map), -1)
    filtered = np.full((len(rows), rows.shape[1] + 1), UP, dtype=np.uint8)
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    compressor = zlib.compressobj(level=_RGBA_LEVEL, memLevel=9)
    content = compressor.compress(filtered.data) + compressor.flush()
    return png_file([*_head(label_map.shape, 8, _TRUECOLOR_ALPHA, palette), (b"IDAT", content)])


def _head(size: tuple[int, ...], bits: int, color_type: int, table: NDArray[np.uint8]) -> list[tuple[bytes, Payload]]:
    """IHDR and PLTE of an image of size (height, width)."""
    header = struct.pack(">IIBBBBB", size[1], size[0], bits, color_type, 0, 0, 0)
    return [(b"IHDR", header), (b"PLTE", np.ascontiguousarray(table).tobytes())]


def _bit_depth(n_entries: int) -> int:
    return next(bits for bits in (1, 2, 4, 8) if n_entries <= 1 << bits)


def _read(content: bytes) -> tuple[NDArray[np.uint8], bytes, NDArray[np.uint8], int]:
    """PLTE as (n, 3), tRNS, the samples of each row (H, W, or 4 W for RGBA), and the colour type of a file of ours."""
    if not content.startswith(SIGNATURE):
        raise ValueError("it is no PNG file")
    parts = dict(chunks(content))
    if not parts.keys() >= {b"IHDR", b"PLTE", b"IDAT", b"IEND"}:
        raise ValueError("it is cut off")
    width, height, bits, color_type = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    samples = width * (4 if color_type == _TRUECOLOR_ALPHA else 1)
    stored = np.frombuffer(zlib.decompress(parts[b"IDAT"]), dtype=np.uint8).reshape(height, -1)
    if stored[0, 0] not in (NONE, UP) or (stored[:, 0] != stored[0, 0]).any():
        raise ValueError("flatpipe did not write it")
    rows = stored[:, 1:].copy()
    for above, row in pairwise(rows if stored[0, 0] == UP else rows[:1]):
        np.add(row, above, out=row)
        # ^ row by row: numpy's accumulate over columns takes several times as long
    table = np.frombuffer(parts[b"PLTE"], dtype=np.uint8).reshape(-1, 3)
    return table, parts.get(b"tRNS", b""), _unpacked(rows, bits)[:, :samples], color_type


def _unpacked(rows: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """One label per byte from rows of packed ones."""
    if bits == 8:
        return rows
    labels = np.empty((*rows.shape, 8 // bits), dtype=np.uint8)
    for place in range(8 // bits):
        labels[..., place] = (rows >> (8 - bits - bits * place)) & ((1 << bits) - 1)
    return labels.reshape(len(rows), -1)


def _from_table(table: NDArray[np.uint8], opacities: bytes, rows_of_table: NDArray[np.uint8]) -> SavedFlat:
    if not opacities:
        return SavedFlat(table, rows_of_table)
    begins = np.any(table[1:] != table[:-1], axis=1)
    label_of_row = np.concatenate(([0], np.cumsum(begins))).astype(np.uint8)
    palette = table[np.concatenate(([True], begins))]
    return SavedFlat(palette, label_of_row[rows_of_table], np.frombuffer(opacities, dtype=np.uint8)[rows_of_table])


def _labels_of(palette: NDArray[np.uint8], values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    packed = (values[..., 0].astype(np.uint32) << 16) | (values[..., 1].astype(np.uint32) << 8) | values[..., 2]
    keys = palette.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    order = np.argsort(keys, kind="stable")
    return order[np.searchsorted(keys, packed, sorter=order)].astype(np.uint8)
