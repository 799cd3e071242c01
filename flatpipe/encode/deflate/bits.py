"""Bits written eight bytes at a time, and words read at any byte."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_table import ones
from flatpipe.quantize.compiled import kernel

Count = int | np.int64
# ^ one type to the compiler

_COUNT_BITS = 5
# ^ of an entry that say how many bits it stands for
MOST_BITS = 26
# ^ that an entry stands for: one bit of its 32 is left, to tell entries that cannot be had
NO_ENTRY = np.uint32(1 << 31)


class Bits(NamedTuple):
    """Where a stream of bits has got to."""

    waiting: np.uint64
    # ^ bits that are not yet in a whole byte, the first in the lowest place
    n_waiting: Count
    n_bytes: Count
    # ^ written


@kernel
def entry(value: Count, count: Count) -> np.uint32:
    """Return `count` bits, at most MOST_BITS, as they stand in a table: `added` takes them from there."""
    return np.uint32(value << _COUNT_BITS | count)


@kernel
def joined(first: np.uint32, second: np.uint32) -> np.uint32:
    """Return the entry for the bits of two, or NO_ENTRY for too many bits."""
    count = np.uint32(first & np.uint32(31))
    whole = np.uint32(count + np.uint32(second & np.uint32(31)))
    value = np.uint32(np.uint32(first >> np.uint32(5)) | np.uint32(np.uint32(second >> np.uint32(5)) << count))
    return np.uint32(np.uint32(value << np.uint32(5)) | whole) if whole <= MOST_BITS else NO_ENTRY
    # ^ all in 32 bits: so the compiler joins eight pairs at a time


@kernel
def added(bits: Bits, of_table: np.uint32) -> Bits:
    """Return `bits` with those of an entry behind them; there is room for 57 behind whole bytes."""
    value = np.uint64(of_table) >> np.uint64(_COUNT_BITS)
    waiting = bits.waiting | value << np.uint64(bits.n_waiting)
    return Bits(waiting, bits.n_waiting + np.int64(of_table & np.uint32(31)), bits.n_bytes)


@kernel
def flushed(bits: Bits, out: NDArray[np.uint8]) -> Bits:
    """Return `bits` after writing all whole bytes; behind them `out` has eight bytes to spare."""
    store(out, bits.n_bytes, bits.waiting)
    waiting = bits.waiting >> np.uint64(bits.n_waiting & ~7)
    return Bits(waiting, bits.n_waiting & 7, bits.n_bytes + (bits.n_waiting >> 3))


@kernel
def load(values: NDArray[np.uint8], at: Count) -> np.uint64:
    """Return the eight bytes from `at` on, the first in the lowest place; the compiler makes it one instruction."""
    i = np.uint64(at)
    word = np.uint64(values[i])
    word |= np.uint64(values[i + np.uint64(1)]) << np.uint64(8)
    word |= np.uint64(values[i + np.uint64(2)]) << np.uint64(16)
    word |= np.uint64(values[i + np.uint64(3)]) << np.uint64(24)
    word |= np.uint64(values[i + np.uint64(4)]) << np.uint64(32)
    word |= np.uint64(values[i + np.uint64(5)]) << np.uint64(40)
    word |= np.uint64(values[i + np.uint64(6)]) << np.uint64(48)
    return word | np.uint64(values[i + np.uint64(7)]) << np.uint64(56)


@kernel
def store(values: NDArray[np.uint8], at: Count, word: np.uint64) -> None:
    """Write the eight bytes of a word from `at` on, the lowest first; one instruction too."""
    i = np.uint64(at)
    values[i] = np.uint8(word)
    values[i + np.uint64(1)] = np.uint8(word >> np.uint64(8))
    values[i + np.uint64(2)] = np.uint8(word >> np.uint64(16))
    values[i + np.uint64(3)] = np.uint8(word >> np.uint64(24))
    values[i + np.uint64(4)] = np.uint8(word >> np.uint64(32))
    values[i + np.uint64(5)] = np.uint8(word >> np.uint64(40))
    values[i + np.uint64(6)] = np.uint8(word >> np.uint64(48))
    values[i + np.uint64(7)] = np.uint8(word >> np.uint64(56))


@kernel
def equal_bytes_behind(difference: np.uint64) -> np.int64:
    """Return how many of the highest bytes of a word are zero."""
    word = difference
    for shift in (1, 2, 4, 8, 16, 32):
        word |= word >> np.uint64(shift)
    return ones(~word) >> 3


@kernel
def equal_bytes_ahead(difference: np.uint64) -> np.int64:
    """Return how many of the lowest bytes of a word, which is not zero, are zero."""
    return ones((difference & (~difference + np.uint64(1))) - np.uint64(1)) >> 3
