"""Rows of labels -> bytes of a PNG's rows: packed, each filtered by the row above it or not; and their checksum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.deflate.bits import Count
from flatpipe.quantize.compiled import kernel

NONE, UP = 0, 2
# ^ filter types: each byte as it is, or minus the byte above it
_MODULUS = 65521
# ^ of Adler-32 (RFC 1950)
_TOGETHER = 4096
# ^ bytes whose weighted sum stays below 2^32


class Rows(NamedTuple):
    """Labels, and room for a segment of rows made of them."""

    labels: NDArray[np.uint8]
    # ^ (H, W)
    bits: int
    # ^ of a label
    filter_type: int
    packed: NDArray[np.uint8]
    # ^ (2, bytes per row)
    segment: NDArray[np.uint8]
    # ^ (n,) bytes of `at_once` rows, and a margin
    at_once: int


@kernel
def fill_segment(rows: Rows, top: int, bottom: int) -> int:
    """Fill the segment with rows `top` to `bottom`, packed and filtered; return their bytes."""
    labels, packed, segment = rows.labels, rows.packed, rows.segment
    row_bytes = packed.shape[1]
    if top:
        _pack(labels[top - 1], rows.bits, packed[(top - 1) & 1])
    else:
        for i in range(row_bytes):
            packed[1, i] = 0
    at = 0
    for y in range(top, bottom):
        here, above = packed[y & 1], packed[1 - (y & 1)]
        _pack(labels[y], rows.bits, here)
        segment[at] = rows.filter_type
        filtered = segment[at + 1 : at + 1 + row_bytes]
        if rows.filter_type == UP:
            for i in range(row_bytes):
                filtered[i] = here[i] - above[i]
        else:
            for i in range(row_bytes):
                filtered[i] = here[i]
        at += 1 + row_bytes
    return at


@kernel
def _pack(labels: NDArray[np.uint8], bits: int, packed: NDArray[np.uint8]) -> None:
    """Fill `packed` with 8 // bits labels to a byte, the leftmost in the highest bits.

    Loops as plain as these are ones that the compiler takes many bytes at a time.
    """
    each = 8 // bits
    whole = labels.size // each
    if bits == 8:
        for i in range(whole):
            packed[i] = labels[i]
    elif bits == 4:
        for i in range(whole):
            packed[i] = labels[2 * i] << 4 | labels[2 * i + 1]
    elif bits == 2:
        for i in range(whole):
            packed[i] = labels[4 * i] << 6 | labels[4 * i + 1] << 4 | labels[4 * i + 2] << 2 | labels[4 * i + 3]
    else:
        for i in range(whole):
            high = labels[8 * i] << 7 | labels[8 * i + 1] << 6 | labels[8 * i + 2] << 5 | labels[8 * i + 3] << 4
            low = labels[8 * i + 4] << 3 | labels[8 * i + 5] << 2 | labels[8 * i + 6] << 1 | labels[8 * i + 7]
            packed[i] = high | low
    if whole < packed.size:
        last = np.int64(0)
        for i in range(whole * each, labels.size):
            last |= np.int64(labels[i]) << (8 - bits * (i + 1 - whole * each))
        packed[whole] = last


@kernel
def adler(before: Count, values: NDArray[np.uint8], n: int) -> Count:
    """Return the Adler-32 checksum of what has the checksum `before` and, behind it, values[:n]."""
    low, high = before & 0xFFFF, before >> 16
    for begin in range(0, n, _TOGETHER):
        part = values[begin : min(begin + _TOGETHER, n)]
        total = weighted = np.uint32(0)
        for i in range(part.size):
            total = np.uint32(total + part[i])
            weighted = np.uint32(weighted + np.uint32(np.uint32(part[i]) * np.uint32(part.size - i)))
        high = (high + low * part.size + np.int64(weighted)) % _MODULUS
        low = (low + np.int64(total)) % _MODULUS
    return high << 16 | low
