"""Prefix codes of the least length for given frequencies.

D. A. Huffman, "A method for the construction of minimum-redundancy codes", 1952; canonical as in RFC 1951, 3.2.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.deflate.bits import Count, entry
from flatpipe.quantize.compiled import kernel


@kernel
def find_code_lengths(frequencies: NDArray[np.int64], longest: Count, lengths: NDArray[np.int64]) -> None:
    """Fill `lengths` (n,) with the bits of each symbol's code, none above `longest`; 0 for symbols that do not occur.

    At least two do. Frequencies (n,) stay below 2^53, n below 2^longest.
    """
    for symbol in range(lengths.size):
        lengths[symbol] = 0
    symbols = _by_frequency(frequencies)
    counts = _limited(_count_depths(frequencies, symbols, longest), longest)
    place = symbols.size
    for length in range(1, longest + 1):
        for _ in range(counts[length]):
            place -= 1
            lengths[symbols[place]] = length


@kernel
def make_codes(lengths: NDArray[np.int64], entries: NDArray[np.uint32]) -> None:
    """Fill `entries` (n,) with the canonical code of each symbol, its first bit lowest; 0 where the length is 0."""
    following = np.zeros(17, np.int64)
    for length in lengths:
        following[length + 1] += length > 0
    for length in range(1, 16):
        following[length] = (following[length] + following[length - 1]) << 1
    for symbol in range(lengths.size):
        length = lengths[symbol]
        code = following[length]
        following[length] += 1
        backwards = 0
        for _ in range(length):
            backwards, code = backwards << 1 | code & 1, code >> 1
        entries[symbol] = entry(backwards, length)


@kernel
def _by_frequency(frequencies: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the symbols that occur, the rarest first, equally frequent ones in order."""
    keys = np.empty(frequencies.size, np.int64)
    n = 0
    for symbol in range(frequencies.size):
        if frequencies[symbol] > 0:
            keys[n] = frequencies[symbol] << 9 | symbol
            n += 1
    for gap in (57, 23, 10, 4, 1):
        # ^ D. L. Shell, 1959; the gaps are M. Ciura's, 2001
        for end in range(gap, n):
            key, place = keys[end], end
            while place >= gap and keys[place - gap] > key:
                keys[place] = keys[place - gap]
                place -= gap
            keys[place] = key
    for i in range(n):
        keys[i] &= 511
    return keys[:n]


@kernel
def _count_depths(frequencies: NDArray[np.int64], symbols: NDArray[np.int64], longest: Count) -> NDArray[np.int64]:
    """Return how many leaves of Huffman's tree lie at each depth, those below `longest` counted there."""
    n = symbols.size
    weights, parents = np.empty(2 * n - 1, np.int64), np.empty(2 * n - 1, np.int64)
    for i in range(n):
        weights[i] = frequencies[symbols[i]]
    leaf, inner = 0, n
    for node in range(n, 2 * n - 1):
        weights[node] = 0
        for _ in range(2):
            is_leaf = leaf < n and (inner == node or weights[leaf] <= weights[inner])
            child = leaf if is_leaf else inner
            leaf, inner = leaf + is_leaf, inner + (not is_leaf)
            weights[node] += weights[child]
            parents[child] = node
    counts = np.zeros(longest + 1, np.int64)
    depths = weights
    # ^ the weights are used up
    depths[2 * n - 2] = 0
    for node in range(2 * n - 3, -1, -1):
        depths[node] = depths[parents[node]] + 1
        if node < n:
            counts[min(depths[node], longest)] += 1
    return counts


@kernel
def _limited(counts: NDArray[np.int64], longest: Count) -> NDArray[np.int64]:
    """Return `counts`, INOUT, after lengthening as many of the longest short codes as make room for all."""
    excess = -(1 << longest)
    for i in range(1, longest + 1):
        excess += counts[i] << (longest - i)
    for _ in range(excess):
        counts[longest] -= 1
        length: Count = longest - 1
        while counts[length] == 0:
            length -= 1
        counts[length] -= 1
        counts[length + 1] += 2
    return counts
