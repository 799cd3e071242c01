"""The compression of GIF frames.

T. A. Welch, "A technique for high-performance data compression", 1984, as GIF89a's appendix F packs it. Written here
because Pillow's encoder takes two to three times as long and holds the GIL meanwhile (docs/decisions.md has the
figures).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.deflate.bits import Bits, Count, flushed, load, store
from flatpipe.quantize.color_table import ones
from flatpipe.quantize.compiled import kernel

_MAX_CODES = 4096
# ^ GIF's codes have at most 12 bits
_LAST_CODE = np.int64(_MAX_CODES - 1)
_BLOCK = 255
# ^ bytes in a full sub-block
_SEVEN_BYTES = np.uint64((1 << 56) - 1)
_LEAST_HALVED = 1 << 17
# ^ pixels: a smaller frame is coded in one piece, since its codes had too little time to become long
_COSTLY_BITS = 6
# ^ of a label, from which on codes are too many for their table to be emptied at once


class _Coder(NamedTuple):
    """A run of labels that has been seen, and what was written before it."""

    code: Count
    # ^ of the run
    next_code: Count
    width: Count
    # ^ bits of a code
    bits: Bits


def lzw_blocks(labels: NDArray[np.uint8], n_colors: int) -> bytes:
    """GIF's image data for labels (h, w) uint8 below n_colors: code size, sub-blocks, and the empty block that ends."""
    bits = max(2, (n_colors - 1).bit_length())
    # ^ the format knows no code size of 1
    stream = labels.reshape(-1).view()
    stream.flags.writeable = False
    # ^ one compiled variant, whatever the caller's array allows
    longer = np.empty((2, _MAX_CODES << bits), dtype=np.uint16)
    codes = np.empty((2, stream.size * 3 // 2 + stream.size // 1024 + 64), dtype=np.uint8)
    # ^ room for 12 bits per pixel and a restart now and then; memory that is not touched costs nothing
    n_bytes = _write_codes(stream, bits, longer, codes)
    return bytes([bits]) + _in_blocks(codes[0, :n_bytes]) + b"\0"


def _in_blocks(stream: NDArray[np.uint8]) -> bytes:
    """The stream with a length before every 255 bytes, as GIF stores it."""
    whole = len(stream) // _BLOCK * _BLOCK
    blocks = np.empty((whole // _BLOCK, _BLOCK + 1), dtype=np.uint8)
    blocks[:, 0] = _BLOCK
    blocks[:, 1:] = stream[:whole].reshape(-1, _BLOCK)
    rest = stream[whole:].tobytes()
    return blocks.tobytes() + (bytes([len(rest)]) + rest if rest else b"")


@kernel
def _write_codes(
    labels: NDArray[np.uint8], bits_each: int, longer: NDArray[np.uint16], out: NDArray[np.uint8]
) -> Count:
    """Write the codes of labels (n,) to out[0] and return the bytes written.

    longer[i, code << bits_each | label] is the code of a run with the label behind it, or 0 while there is none. Of a
    large frame both halves are coded at once, with a restart between them.
    """
    restart = np.int64(1) << bits_each
    half = labels.size // 2 if labels.size >= _LEAST_HALVED else 0
    first = _Coder(np.int64(labels[0]), restart + 2, np.int64(bits_each) + 1, Bits(np.uint64(0), 0, 0))
    second = _Coder(np.int64(labels[half]), first.next_code, first.width, first.bits)
    _forget(longer[0])
    if half == 0:
        only = _code_one(labels[1:], _with_code(first, restart), restart, longer[0], out[0])
        return _append(_ended(only, restart + 1, out[0]), out[0], first.bits, out[1])
    _forget(longer[1])
    first, second = _code_both(
        labels[1:half], labels[half + 1 : 2 * half], _with_code(first, restart), second, restart, longer, out
    )
    second = _code_one(labels[2 * half :], second, restart, longer[1], out[1])
    # ^ one label more where their number is odd
    return _append(_ended(first, restart, out[0]), out[0], _ended(second, restart + 1, out[1]), out[1])


@kernel
def _code_both(
    labels: NDArray[np.uint8],
    others: NDArray[np.uint8],
    first: _Coder,
    second: _Coder,
    restart: np.int64,
    longer: NDArray[np.uint16],
    out: NDArray[np.uint8],
) -> tuple[_Coder, _Coder]:
    """Return both coders after their labels, a step of each in turn: one works while the other waits for its table.

    All is written out, since calls with arrays take longer than what they would do here.
    """
    first_table, second_table, first_out, second_out = longer[0], longer[1], out[0], out[1]
    each = first.width - 1
    for i in range(labels.size):
        label, other = np.int64(labels[i]), np.int64(others[i])
        slot, other_slot = first.code << each | label, second.code << each | other
        code, other_code = np.int64(first_table[slot]), np.int64(second_table[other_slot])
        if code:
            first = _Coder(code, first.next_code, first.width, first.bits)
        else:
            first_table[slot] = first.next_code & _LAST_CODE
            first = _after_run(first, label, restart, each)
            first = _Coder(first.code, first.next_code, first.width, flushed(first.bits, first_out))
            if first.next_code == restart + 2:
                _forget(first_table)
        if other_code:
            second = _Coder(other_code, second.next_code, second.width, second.bits)
        else:
            second_table[other_slot] = second.next_code & _LAST_CODE
            second = _after_run(second, other, restart, each)
            second = _Coder(second.code, second.next_code, second.width, flushed(second.bits, second_out))
            if second.next_code == restart + 2:
                _forget(second_table)
    return first, second


@kernel
def _code_one(
    labels: NDArray[np.uint8], coder: _Coder, restart: np.int64, longer: NDArray[np.uint16], out: NDArray[np.uint8]
) -> _Coder:
    """Return the coder after its labels."""
    each = ones(np.uint64(restart - 1))
    for i in range(labels.size):
        label = np.int64(labels[i])
        slot = coder.code << each | label
        code = np.int64(longer[slot])
        if code:
            coder = _Coder(code, coder.next_code, coder.width, coder.bits)
        else:
            longer[slot] = coder.next_code & _LAST_CODE
            coder = _after_run(coder, label, restart, each)
            coder = _Coder(coder.code, coder.next_code, coder.width, flushed(coder.bits, out))
            if coder.next_code == restart + 2:
                _forget(longer)
    return coder


@kernel
def _after_run(coder: _Coder, label: np.int64, restart: np.int64, each: Count) -> _Coder:
    """Return the coder with the code of its run behind it, about to begin another with a label.

    Where there is no code left for the longer run, all are forgotten, which the reader is told.
    """
    coder = _with_code(coder, coder.code)
    if coder.next_code < _MAX_CODES:
        width = coder.width + (coder.next_code == np.int64(1) << coder.width)
        return _Coder(label, coder.next_code + 1, width, coder.bits)
    return _Coder(label, restart + 2, each + 1, _with_code(coder, restart).bits)


@kernel
def _with_code(coder: _Coder, code: Count) -> _Coder:
    """Return the coder with a code among the bits that wait."""
    waiting = coder.bits.waiting | np.uint64(code) << np.uint64(coder.bits.n_waiting)
    bits = Bits(waiting, coder.bits.n_waiting + coder.width, coder.bits.n_bytes)
    return _Coder(coder.code, coder.next_code, coder.width, bits)


@kernel
def _ended(coder: _Coder, last: np.int64, out: NDArray[np.uint8]) -> Bits:
    """Return what was written after the coder's run and a last code: that of a restart, or of the end."""
    coder = _with_code(coder, coder.code)
    width = coder.width + (coder.next_code == np.int64(1) << coder.width and coder.next_code < _MAX_CODES)
    return flushed(_with_code(_Coder(coder.code, coder.next_code, width, coder.bits), last).bits, out)


@kernel
def _append(bits: Bits, out: NDArray[np.uint8], more: Bits, source: NDArray[np.uint8]) -> Count:
    """Write more bits, those in `source` and those that wait, behind `bits` in `out`; return its whole bytes."""
    store(source, more.n_bytes, more.waiting)
    waiting, at = bits.waiting, bits.n_bytes
    for begin in range(0, more.n_bytes + 1, 7):
        waiting |= (load(source, begin) & _SEVEN_BYTES) << np.uint64(bits.n_waiting)
        store(out, at, waiting)
        waiting >>= np.uint64(56)
        at += 7
    return bits.n_bytes + more.n_bytes + (bits.n_waiting + more.n_waiting + 7) // 8


@kernel
def _forget(longer: NDArray[np.uint16]) -> None:
    """Empty a table."""
    longer[:] = 0
