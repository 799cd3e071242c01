"""Label maps -> zlib streams of a PNG's rows, in one pass that stays in the processor's cache.

The format is that of RFC 1950 and 1951: blocks with Huffman codes of their own. Runs reach one byte back, as zlib's
Z_RLE finds them: in filtered labels there is little else to find. Nothing here depends on the machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.deflate.bits import Bits, Count, added, flushed
from flatpipe.encode.deflate.blocks import begin_block, bits_for
from flatpipe.encode.deflate.rows import UP, Rows, adler, fill_segment
from flatpipe.encode.deflate.tokens import (
    END,
    MARGIN,
    N_SYMBOLS,
    count_closely,
    count_tokens,
    graphic_score,
    new_codes,
    write_closely,
    write_tokens,
)
from flatpipe.quantize.compiled import kernel

_MOST_BLOCKS, _LEAST_BLOCK = 16, 1 << 16
# ^ codes follow what an image shows from top to bottom, in blocks of so many bytes at least
_LEAST_SYMBOLS = 1 << 13
# ^ in a block: with fewer, telling its codes takes more than they save, and it goes on for another part
_WORTH_IT = 50
# ^ looking closely for runs takes three times as long: it must save one bit in so many
_SEGMENT = 1 << 13
# ^ bytes that are filtered and encoded at a time
_COUNTED = 1 << 16
# ^ bytes of a block's part that are looked at for its codes: of a larger one only every third, fifth ... segment
_WEIGHT = 32
# ^ of a token that was seen, where not all are looked at; one that may come all the same weighs 1


def zlib_stream(labels: NDArray[np.uint8], bits: int, filter_type: int = UP) -> memoryview:
    """The zlib stream of the rows of a PNG: labels (H, W) uint8, each below 2 ** bits, which is 1, 2, 4 or 8.

    All rows have one filter, UP or NONE.
    """
    frozen = np.ascontiguousarray(labels).view()
    frozen.flags.writeable = False
    # ^ one compiled variant, whatever the caller's array allows
    height, width = labels.shape
    n_bytes = height * (1 + (width * bits + 7) // 8)
    out = np.empty(2 * n_bytes + (_MOST_BLOCKS + 1) * 1024, dtype=np.uint8)
    # ^ memory that is not touched costs nothing
    return out[: _write_stream(frozen, bits, filter_type, out)].data


@kernel
def _write_stream(labels: NDArray[np.uint8], bits_each: int, filter_type: int, out: NDArray[np.uint8]) -> Count:
    """Write the stream of labels (H, W) and return its length in bytes."""
    height, width = labels.shape
    row_bytes = 1 + (width * bits_each + 7) // 8
    at_once = max(1, _SEGMENT // row_bytes)
    packed, segment = np.empty((2, row_bytes - 1), np.uint8), np.zeros(at_once * row_bytes + MARGIN, np.uint8)
    rows = Rows(labels, bits_each, filter_type, packed, segment, at_once)
    tallies, frequencies, codes = np.zeros((8, N_SYMBOLS), np.int64), np.empty(N_SYMBOLS, np.int64), new_codes()
    part_rows = -(-max(height // _MOST_BLOCKS, _LEAST_BLOCK // row_bytes) // at_once) * at_once
    # ^ whole segments, so that tokens end where they were tallied to end
    step = part_rows * row_bytes // _COUNTED | 1
    out[0], out[1] = 0x78, 0x01
    bits, top = Bits(np.uint64(0), 0, 2), 0
    checksum: Count = np.int64(1)
    while top < height:
        bottom, closely = _find_block(rows, top, part_rows, step, tallies, frequencies)
        bits, end = begin_block(frequencies, bottom == height, codes, bits, out)
        for y in range(top, bottom, at_once):
            n = fill_segment(rows, y, min(y + at_once, bottom))
            checksum = adler(checksum, segment, n)
            if closely:
                bits = write_closely(segment, n, codes, bits, out)
            else:
                bits = write_tokens(segment, n, codes, bits, out)
        bits = flushed(added(bits, end), out)
        top = bottom
    return _finish(bits, checksum, out)


@kernel
def _find_block(
    rows: Rows, top: int, part_rows: int, step: int, tallies: NDArray[np.int64], frequencies: NDArray[np.int64]
) -> tuple[int, bool]:
    """Return where a block that begins at `top` ends, and whether its runs are looked for closely.

    `frequencies` are filled with those of its symbols, by one in `step` of its segments.
    """
    height = rows.labels.shape[0]
    bottom = top
    n_symbols: Count = np.int64(0)
    score: Count = np.int64(0)
    while bottom < height and n_symbols < _LEAST_SYMBOLS:
        begin, bottom = bottom, min(bottom + part_rows, height)
        score += _tally(rows, begin, bottom, step, False, tallies)
        n_symbols = step * tallies.sum()
    _collect(tallies, step > 1, frequencies)
    if score <= 0:
        return bottom, False
    closer = np.empty(N_SYMBOLS, np.int64)
    _tally(rows, top, bottom, step, True, tallies)
    _collect(tallies, step > 1, closer)
    usual, close = bits_for(frequencies), bits_for(closer)
    is_worth_it = bool(_WORTH_IT * (usual - close) > usual)
    for symbol in range(N_SYMBOLS if is_worth_it else 0):
        frequencies[symbol] = closer[symbol]
    return bottom, is_worth_it


@kernel
def _tally(rows: Rows, top: int, bottom: int, step: int, closely: bool, tallies: NDArray[np.int64]) -> Count:
    """Tally the tokens of one in `step` segments, and return their score."""
    score: Count = np.int64(0)
    for y in range(top, bottom, rows.at_once * step):
        n = fill_segment(rows, y, min(y + rows.at_once, bottom))
        if closely:
            count_closely(rows.segment, n, tallies)
        else:
            count_tokens(rows.segment, n, tallies)
        score += graphic_score(rows.segment, n)
    return score


@kernel
def _collect(tallies: NDArray[np.int64], is_sample: bool, frequencies: NDArray[np.int64]) -> None:
    """Fill `frequencies` with what was tallied, and leave the tallies empty."""
    for symbol in range(N_SYMBOLS):
        total = np.int64(0)
        for place in range(8):
            total += tallies[place, symbol]
        frequencies[symbol] = total * _WEIGHT + 1 if is_sample else total
    frequencies[END] = 1
    tallies.fill(0)


@kernel
def _finish(bits: Bits, checksum: Count, out: NDArray[np.uint8]) -> Count:
    """Write what waits, then the checksum, its highest byte first; return the length of the stream."""
    n = bits.n_bytes + (bits.n_waiting > 0)
    flushed(bits, out)
    for shift in range(24, -1, -8):
        out[n] = checksum >> shift & 255
        n += 1
    return n
