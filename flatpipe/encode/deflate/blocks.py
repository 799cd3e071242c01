"""The head of a deflate block: codes for its tokens, made of how often these occur, and written before them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.deflate.bits import Bits, Count, added, entry, flushed
from flatpipe.encode.deflate.huffman import find_code_lengths, make_codes
from flatpipe.encode.deflate.tokens import (
    END,
    EXTRA_BITS,
    FIRST_RUN,
    N_SYMBOLS,
    TokenCodes,
    fill_codes,
)
from flatpipe.quantize.compiled import kernel

_LONGEST_CODE, _LONGEST_OF_LENGTHS = np.int64(15), np.int64(7)
# ^ bits; typed, so that one variant is compiled for both
_REPEAT, _FEW_ZEROS, _MANY_ZEROS = 16, 17, 18
_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
# ^ in which the lengths of the lengths' own codes stand: RFC 1951, 3.2.7


@kernel
def begin_block(
    frequencies: NDArray[np.int64], is_last: bool, codes: TokenCodes, bits: Bits, out: NDArray[np.uint8]
) -> tuple[Bits, np.uint32]:
    """Write a block's head behind `bits` and fill in the codes of its tokens; return the code of its end too.

    `frequencies` (N_SYMBOLS,) are those of its symbols, none of 2^53.
    """
    lengths = np.empty(N_SYMBOLS + 1, np.int64)
    entries = np.empty(N_SYMBOLS, np.uint32)
    find_code_lengths(frequencies, _LONGEST_CODE, lengths[:N_SYMBOLS])
    make_codes(lengths[:N_SYMBOLS], entries)
    fill_codes(entries, codes)
    lengths[N_SYMBOLS] = 1
    # ^ the code of the one distance there is
    bits = flushed(added(bits, entry(is_last | 2 << 1 | (N_SYMBOLS - FIRST_RUN) << 3, np.int64(13))), out)
    return _write_lengths(lengths, bits, out), entries[END]


@kernel
def bits_for(frequencies: NDArray[np.int64]) -> Count:
    """Return how many bits the symbols take in a block, its head left aside."""
    lengths = np.empty(N_SYMBOLS, np.int64)
    find_code_lengths(frequencies, _LONGEST_CODE, lengths)
    total = np.int64(0)
    for symbol in range(N_SYMBOLS):
        extra_bits = EXTRA_BITS[symbol - FIRST_RUN] + 1 if symbol >= FIRST_RUN else 0
        total += frequencies[symbol] * (lengths[symbol] + extra_bits)
    return total


@kernel
def _write_lengths(lengths: NDArray[np.int64], bits: Bits, out: NDArray[np.uint8]) -> Bits:
    """Write the lengths of all codes, in codes of their own."""
    symbols, extras = np.empty(lengths.size, np.int64), np.empty(lengths.size, np.int64)
    n = _find_repeats(lengths, symbols, extras)
    frequencies, own_lengths = np.zeros(_ORDER.size, np.int64), np.empty(_ORDER.size, np.int64)
    entries = np.empty(_ORDER.size, np.uint32)
    for symbol in symbols[:n]:
        frequencies[symbol] += 1
    find_code_lengths(frequencies, _LONGEST_OF_LENGTHS, own_lengths)
    make_codes(own_lengths, entries)
    bits = flushed(added(bits, entry(_ORDER.size - 4, np.int64(4))), out)
    for symbol in _ORDER:
        bits = flushed(added(bits, entry(own_lengths[symbol], np.int64(3))), out)
    for i in range(n):
        bits = added(bits, entries[symbols[i]])
        if symbols[i] >= _REPEAT:
            extra_bits = 7 if symbols[i] == _MANY_ZEROS else symbols[i] - 14
            bits = added(bits, entry(extras[i], extra_bits))
        bits = flushed(bits, out)
    return bits


@kernel
def _find_repeats(lengths: NDArray[np.int64], symbols: NDArray[np.int64], extras: NDArray[np.int64]) -> int:
    """Write the symbols that tell the lengths, and their extra bits; return how many there are."""
    n = begin = 0
    while begin < lengths.size:
        length = lengths[begin]
        end = begin + 1
        while end < lengths.size and lengths[end] == length:
            end += 1
        while begin < end:
            left = end - begin
            if length == 0 and left >= 3:
                told = min(left, 138)
                symbols[n], extras[n] = (_FEW_ZEROS, told - 3) if told < 11 else (_MANY_ZEROS, told - 11)
            elif left >= 3 and n and symbols[n - 1] in (length, _REPEAT) and lengths[begin - 1] == length:
                told = min(left, 6)
                symbols[n], extras[n] = _REPEAT, told - 3
            else:
                told = 1
                symbols[n], extras[n] = length, 0
            begin += told
            n += 1
    return n
