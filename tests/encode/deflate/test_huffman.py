"""Prefix codes."""

from __future__ import annotations

import heapq
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.encode.deflate.huffman import find_code_lengths, make_codes

frequencies_of_symbols = st.lists(
    st.one_of(st.just(0), st.integers(1, 9), st.integers(1, 1 << 40)), min_size=2, max_size=286
).filter(lambda values: sum(value > 0 for value in values) >= 2)


def lengths_for(frequencies: list[int], longest: int) -> list[int]:
    """The lengths of the code."""
    lengths = np.empty(len(frequencies), np.int64)
    find_code_lengths(np.array(frequencies, np.int64), np.int64(longest), lengths)
    return lengths.tolist()


def least_bits(frequencies: list[int]) -> int:
    """Bits that a text of these frequencies takes at least: the sum of all inner nodes of Huffman's tree."""
    heap = [value for value in frequencies if value]
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        total += joined
        heapq.heappush(heap, joined)
    return total


@given(frequencies_of_symbols)
def test_codes_are_whole_and_within_their_limit(frequencies: list[int]) -> None:
    """Every symbol that occurs has a code of 1 to 15 bits, none other has one, and no code is left over."""
    lengths = lengths_for(frequencies, 15)
    assert all((length > 0) == (value > 0) for length, value in zip(lengths, frequencies, strict=True))
    assert max(lengths) <= 15
    assert sum(1 << (15 - length) for length in lengths if length) == 1 << 15


@given(st.lists(st.integers(0, 500), min_size=2, max_size=60).filter(lambda values: sum(map(bool, values)) >= 2))
def test_codes_are_as_short_as_can_be(frequencies: list[int]) -> None:
    """Where the limit is out of reach, a text takes as few bits as Huffman's tree says."""
    lengths = lengths_for(frequencies, 15)
    assert sum(length * value for length, value in zip(lengths, frequencies, strict=True)) == least_bits(frequencies)


def test_a_limit_costs_little() -> None:
    """Frequencies that double from symbol to symbol get codes of 15 bits at most, for little more of them in all."""
    frequencies = [1 << power for power in range(40)]
    lengths = lengths_for(frequencies, 15)
    assert max(lengths) == 15
    bits = sum(length * value for length, value in zip(lengths, frequencies, strict=True))
    assert bits < 1.002 * least_bits(frequencies)


@given(frequencies_of_symbols)
def test_no_code_begins_another(frequencies: list[int]) -> None:
    """Read from its first bit on, no code is the beginning of another; they rise with length, then symbol."""
    lengths = lengths_for(frequencies, 15)
    entries = np.empty(len(lengths), np.uint32)
    make_codes(np.array(lengths), entries)
    codes = []
    for symbol, (made, length) in enumerate(zip(entries.tolist(), lengths, strict=True)):
        assert made & 31 == length
        if length:
            codes.append((length, symbol, f"{made >> 5:0{length}b}"[::-1]))
    texts = [text for _, _, text in sorted(codes)]
    assert texts == sorted(texts)
    assert not any(later.startswith(text) for text, later in pairwise(texts))
