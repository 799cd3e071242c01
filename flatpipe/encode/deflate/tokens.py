"""The tokens of filtered rows: bytes that stand for themselves, and runs of one value.

Runs are looked for a word at a time: where eight bytes are equal, from there to their exact end. In photographs shorter
ones are not worth a token: a frequent byte takes one or two bits, a run about eight. In graphics they are, and then
runs are looked for closely, at every byte. Counting and writing find the same tokens.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.deflate.bits import (
    NO_ENTRY,
    Bits,
    Count,
    added,
    entry,
    equal_bytes_ahead,
    equal_bytes_behind,
    flushed,
    joined,
    load,
)
from flatpipe.quantize.compiled import kernel

MARGIN = 16
# ^ bytes that are read behind the end of what is encoded
N_SYMBOLS, END = 286, 256
FIRST_RUN = END + 1
# ^ symbol FIRST_RUN + rank stands for the runs of a rank: from its base on, extra bits say how much longer
_LONGEST_RUN, _SHORTEST_RUN = 258, 3
EXTRA_BITS = np.array([0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [0])
_BASES = np.array([*(3 + np.cumsum([0, *(1 << EXTRA_BITS[:-2])])), 258])
_RANKS = np.searchsorted(_BASES, np.arange(_LONGEST_RUN + 1), side="right") - 1
# ^ by length of run: RFC 1951, 3.2.5
_EVERY_BYTE = np.uint64(0x0101010101010101)
_MOST_TAKEN_BACK = np.int64(4)
# ^ bytes whose codes are still waiting when it turns out that a run begins with them


class TokenCodes(NamedTuple):
    """Entries of every token's code."""

    bytes: NDArray[np.uint32]
    # ^ (256,)
    pairs: NDArray[np.uint32]
    # ^ (65536,) of two bytes, the first in the lower half of the place
    runs: NDArray[np.uint32]
    # ^ (259,) by length, the distance included


@kernel
def fill_codes(entries: NDArray[np.uint32], codes: TokenCodes) -> None:
    """Fill `codes` with those of the symbols, (N_SYMBOLS,), and with the pairs of those bytes that have one."""
    for value in range(END):
        codes.bytes[value] = entries[value]
    for second in range(END):
        if entries[second]:
            row = codes.pairs[second << 8 : (second + 1) << 8]
            for first in range(END):
                row[first] = joined(codes.bytes[first], codes.bytes[second])
    for length in range(_SHORTEST_RUN, _LONGEST_RUN + 1):
        rank = _RANKS[length]
        rest = entry(length - _BASES[rank], EXTRA_BITS[rank] + 1)
        # ^ the last bit is the distance, 1: the only one there is
        codes.runs[length] = joined(entries[FIRST_RUN + rank], rest)


@kernel
def new_codes() -> TokenCodes:
    """Return codes that are still to be filled in."""
    return TokenCodes(np.empty(END, np.uint32), np.empty(END * END, np.uint32), np.empty(_LONGEST_RUN + 1, np.uint32))


@kernel
def count_tokens(values: NDArray[np.uint8], n: int, tallies: NDArray[np.int64]) -> None:
    """Add the tokens of values[:n] to how often each symbol occurs, in eight parts: (8, N_SYMBOLS).

    Each byte of a word has a part of its own, since one of a processor's additions to a place waits for the last one.
    """
    at: Count = 0
    while at + 8 <= n:
        word = load(values, at)
        if _is_run(word):
            end = _end_of_run(values, at + 8, n, word)
            left = end - at - 1
            tallies[0, word & np.uint64(255)] += 1
            while left > _LONGEST_RUN:
                part = _part_of(left)
                tallies[0, FIRST_RUN + _RANKS[part]] += 1
                left -= part
            tallies[0, FIRST_RUN + _RANKS[left]] += 1
            at = end
            continue
        for place in range(8):
            tallies[place, (word >> np.uint64(8 * place)) & np.uint64(255)] += 1
        at += 8
        following = load(values, at)
        if at + 8 <= n and _is_run(following):
            taken_back = equal_bytes_behind(word ^ following)
            tallies[0, following & np.uint64(255)] -= taken_back
            at -= taken_back
    for i in range(at, n):
        tallies[0, values[i]] += 1


@kernel
def write_tokens(values: NDArray[np.uint8], n: int, codes: TokenCodes, bits: Bits, out: NDArray[np.uint8]) -> Bits:
    """Write the codes of the tokens of values[:n] behind `bits`."""
    pairs = codes.pairs
    at: Count = 0
    word = load(values, at)
    while at + 8 <= n:
        if _is_run(word):
            end = at + 8
            while end < n:
                difference = load(values, end) ^ word
                if difference:
                    end += equal_bytes_ahead(difference)
                    break
                end += 8
            end = min(end, n)
            # ^ written out here: a call would count references to the array, which takes as long as a short run
            left = end - at - 1
            bits = added(bits, codes.bytes[word & np.uint64(255)])
            while left > _LONGEST_RUN:
                part = _part_of(left)
                bits = flushed(added(bits, codes.runs[part]), out)
                left -= part
            bits = flushed(added(bits, codes.runs[left]), out)
            at = end
            word = load(values, at)
            continue
        following = load(values, at + 8)
        taken_back = np.int64(0)
        if at + 16 <= n and _is_run(following):
            taken_back = equal_bytes_behind(word ^ following)
        first, second = pairs[word & np.uint64(0xFFFF)], pairs[(word >> np.uint64(16)) & np.uint64(0xFFFF)]
        third, fourth = pairs[(word >> np.uint64(32)) & np.uint64(0xFFFF)], pairs[word >> np.uint64(48)]
        if (first | second | third | fourth) & NO_ENTRY or taken_back > _MOST_TAKEN_BACK:
            for i in range(at, at + 8 - taken_back):
                bits = flushed(added(bits, codes.bytes[values[i]]), out)
            at += 8 - taken_back
            word = load(values, at)
            continue
        bits = flushed(added(added(bits, first), second), out)
        bits = added(added(bits, third), fourth)
        if taken_back:
            bits = _taken_back(bits, taken_back * np.int64(codes.bytes[following & np.uint64(255)] & np.uint32(31)))
        bits = flushed(bits, out)
        at += 8 - taken_back
        word = following
    for i in range(at, n):
        bits = flushed(added(bits, codes.bytes[values[i]]), out)
    return bits


@kernel
def count_closely(values: NDArray[np.uint8], n: int, tallies: NDArray[np.int64]) -> None:
    """Add the tokens of values[:n], looked for closely, to how often each symbol occurs: (8, N_SYMBOLS)."""
    at: Count = 0
    while at < n:
        left = _equal_to_last(values, at, n)
        if left < _SHORTEST_RUN:
            tallies[at & 7, values[at]] += 1
            at += 1
            continue
        at += left
        while left > _LONGEST_RUN:
            part = _part_of(left)
            tallies[0, FIRST_RUN + _RANKS[part]] += 1
            left -= part
        tallies[0, FIRST_RUN + _RANKS[left]] += 1


@kernel
def write_closely(values: NDArray[np.uint8], n: int, codes: TokenCodes, bits: Bits, out: NDArray[np.uint8]) -> Bits:
    """Write the codes of the tokens of values[:n], looked for closely, behind `bits`."""
    at: Count = 0
    while at < n:
        left = _equal_to_last(values, at, n)
        if left < _SHORTEST_RUN:
            bits = flushed(added(bits, codes.bytes[values[at]]), out)
            at += 1
            continue
        at += left
        while left > _LONGEST_RUN:
            part = _part_of(left)
            bits = flushed(added(bits, codes.runs[part]), out)
            left -= part
        bits = flushed(added(bits, codes.runs[left]), out)
    return bits


@kernel
def graphic_score(values: NDArray[np.uint8], n: int) -> Count:
    """Return how many of values[:n] repeat the two before them, by eight, less how many there are; zeros left aside.

    It is below zero for most photographs, and above where short runs are common.
    """
    first, second, third = values[: n - 2], values[1 : n - 1], values[2:n]
    score = np.int64(0)
    for i in range(third.size):
        score += (8 * ((third[i] == second[i]) & (third[i] == first[i])) - 1) * (third[i] != 0)
    return score


@kernel
def _is_run(word: np.uint64) -> bool:
    return bool(word == (word & np.uint64(255)) * _EVERY_BYTE)


@kernel
def _equal_to_last(values: NDArray[np.uint8], at: Count, n: int) -> Count:
    """Return how many of values[:n] from `at` on equal the one before."""
    return _end_of_run(values, at, n, np.uint64(values[at - 1]) * _EVERY_BYTE) - at if at else 0


@kernel
def _end_of_run(values: NDArray[np.uint8], begin: Count, n: int, word: np.uint64) -> Count:
    """Return where, from `begin` on, values[:n] stop to be those of a word of equal bytes."""
    end = begin
    while end < n:
        difference = load(values, end) ^ word
        if difference:
            end += equal_bytes_ahead(difference)
            break
        end += 8
    return min(end, n)


@kernel
def _part_of(length: Count) -> Count:
    """Return how much a token takes of a run that is too long for one: enough is left for another."""
    return _LONGEST_RUN if length >= _LONGEST_RUN + _SHORTEST_RUN else _LONGEST_RUN - _SHORTEST_RUN


@kernel
def _taken_back(bits: Bits, count: Count) -> Bits:
    """Return `bits` without the last `count` of those that wait."""
    left = bits.n_waiting - count
    return Bits(bits.waiting & ((np.uint64(1) << np.uint64(left)) - np.uint64(1)), left, bits.n_bytes)
