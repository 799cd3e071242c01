"""Pixels -> unique colours with counts, and for each pixel the table row of its colour.

One method serves every image size: a bitmap with one bit per possible colour (2 MB, it stays in the processor's cache)
is marked in a first pass; running bit counts then give each colour's rank, which is its row in the sorted table.
Nothing is sorted, no table of 16 million entries is walked, and of the bitmap no more than what is marked.

The rows come in Z-order (octree.py): similar colours are neighbours, and every cell of an octree is a run of rows.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.octree import level_at, zorder
from flatpipe.quantize.options import Space
from flatpipe.quantize.pyramid import ColorPyramid, build_pyramid

_Value = TypeVar("_Value", bound=np.generic)
N_WORDS = 1 << 18
# ^ 2^24 colours, 64 to a word
_IN_WORD = np.array([[place >> 4 - c & 2 | place >> 2 - c & 1 for c in range(3)] for place in range(64)], np.uint8)
# ^ the lowest two bits of each channel, by place in a word


@dataclass(frozen=True)
class ColorTable:
    """The unique colours of an image: `colors` (n, 3) uint8 in Z-order, `counts` (n,) int64.

    A count is a number of pixels, or the sum of their opacity (0..255 each) where the image has an alpha channel.
    """

    colors: NDArray[np.uint8]
    counts: NDArray[np.int64]

    @cached_property
    def visible(self) -> NDArray[np.intp]:
        """Rows, ascending, whose count is not zero: the colours that are clustered. (m,) intp."""
        return np.flatnonzero(self.counts)

    @cached_property
    def energy(self) -> int:
        """Sum of count x squared length of the RGB colours, exact."""
        return int(_energy(self.colors, self.counts))


@dataclass(frozen=True)
class IndexedImage:
    """An image by its colours: `table.colors[index]` are its pixels. `index` is (H, W) uint32. Arrays are read-only.

    `opacity` is (H, W) uint8, or (0, 0) for an image without: whoever gave it holds it.

    What every k of the image shares (the pyramid of each space) is computed once, by whichever thread asks first.
    """

    table: ColorTable
    index: NDArray[np.uint32]
    opacity: NDArray[np.uint8]
    _pyramids: dict[Space, ColorPyramid] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays, those of the pyramids included as soon as they exist."""
        own = self.index.nbytes + self.table.colors.nbytes + self.table.counts.nbytes
        return own + sum(pyramid.nbytes for pyramid in self._pyramids.values())

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The image's pixels, (H, W, 3) uint8, made anew at each call."""
        return self.table.colors[self.index]

    def pyramid(self, space: Space) -> ColorPyramid:
        """Return the visible colours of the table as weighted points in `space`, fine to coarse."""
        with self._lock:
            if space not in self._pyramids:
                colors, counts = self.table.colors, self.table.counts
                if self.table.visible.size < len(counts):
                    colors, counts = frozen(colors[self.table.visible]), frozen(counts[self.table.visible])
                self._pyramids[space] = build_pyramid(colors, counts, space, self.index.size)
            return self._pyramids[space]


def index_colors(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None) -> IndexedImage:
    """Return the unique colours of `pixels` (H, W, 3) uint8 and each pixel's row among them.

    With `alpha` (H, W) uint8 a colour counts as much as its pixels are opaque; hidden colours stay in the table with
    count 0. Of an image without one opaque pixel no colour shows: all of it counts as black, its own are forgotten.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or pixels.size == 0:
        raise ValueError(f"pixels must be (H, W, 3) uint8 and not empty, not {pixels.shape} {pixels.dtype}")
    if alpha is not None and (alpha.shape != pixels.shape[:2] or alpha.dtype != np.uint8):
        raise ValueError(f"alpha must be {pixels.shape[:2]} uint8, not {alpha.shape} {alpha.dtype}")
    if alpha is not None and not alpha.any():
        pixels, alpha = np.zeros_like(pixels), None
    flat_pixels = frozen(np.ascontiguousarray(pixels).reshape(-1, 3))
    opacity = frozen(np.empty((0, 0), np.uint8) if alpha is None else np.ascontiguousarray(alpha))
    seen, occupied = mark_colors(flat_pixels)
    words = _places_of(occupied)
    first_rank, n = rank_words(seen, words)
    index, counts = _index_pixels(flat_pixels, opacity.reshape(-1), seen, first_rank, n)
    table = ColorTable(frozen(list_colors(seen, words, n)), frozen(counts))
    return IndexedImage(table, frozen(index.reshape(pixels.shape[:2])), opacity)


def frozen(values: NDArray[_Value]) -> NDArray[_Value]:
    """Return a read-only view: safe to share between threads, and one compiled variant of each kernel."""
    view = values.view()
    view.flags.writeable = False
    return view


@kernel
def _energy(colors: NDArray[np.uint8], counts: NDArray[np.int64]) -> np.int64:
    """Return the sum of count x squared length: below 2^63 for 10^11 opaque pixels."""
    total = np.int64(0)
    for i in range(counts.size):
        for c in range(3):
            total += counts[i] * np.int64(colors[i, c]) ** 2
    return total


@kernel
def ones(word: np.uint64) -> np.int64:
    """Number of set bits; the compiler knows this idiom and emits one instruction for it."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def mark_colors(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the bitmap of the colours that occur, in Z-order, as (2^18,) words, and one of the words in use."""
    seen, occupied = np.zeros(N_WORDS, np.uint64), np.zeros(N_WORDS >> 6, np.uint64)
    for i in range(pixels.shape[0]):
        place = zorder(pixels[i, 0], pixels[i, 1], pixels[i, 2])
        bit = np.uint64(1) << (place & 63)
        if not seen[place >> 6] & bit:
            # ^ neighbours are alike: each would wait for the word that the one before has just written
            seen[place >> 6] |= bit
            occupied[place >> 12] |= np.uint64(1) << ((place >> 6) & 63)
    return seen, occupied


@kernel
def rank_words(seen: NDArray[np.uint64], words: NDArray[np.int64]) -> tuple[NDArray[np.uint32], np.int64]:
    """Return how many colours come before each of the `words` in use, (2^18,) uint32, and how many there are."""
    first_rank = np.empty(N_WORDS, np.uint32)
    n = np.int64(0)
    for word in words:
        first_rank[word] = n
        n += ones(seen[word])
    return first_rank, n


@kernel
def list_colors(seen: NDArray[np.uint64], words: NDArray[np.int64], n: np.int64) -> NDArray[np.uint8]:
    """Return the n colours that occur, sorted, (n, 3) uint8; `words` are those in use."""
    colors = np.empty((n, 3), np.uint8)
    row = 0
    for word in words:
        red, green, blue = level_at(word << 6, 0), level_at(word << 6, 1), level_at(word << 6, 2)
        left = seen[word]
        while left:
            lowest = left & (~left + np.uint64(1))
            place = ones(lowest - np.uint64(1))
            colors[row, 0], colors[row, 1] = red | _IN_WORD[place, 0], green | _IN_WORD[place, 1]
            colors[row, 2] = blue | _IN_WORD[place, 2]
            row += 1
            left ^= lowest
    return colors


@kernel
def _places_of(bitmap: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the places of the bits that are set, ascending."""
    n = np.int64(0)
    for word in bitmap:
        n += ones(word)
    places = np.empty(n, np.int64)
    row = 0
    for i in range(bitmap.size):
        word = bitmap[i]
        while word:
            lowest = word & (~word + np.uint64(1))
            places[row] = i * 64 + ones(lowest - np.uint64(1))
            row += 1
            word ^= lowest
    return places


@kernel
def _index_pixels(
    pixels: NDArray[np.uint8],
    opacity: NDArray[np.uint8],
    seen: NDArray[np.uint64],
    first_rank: NDArray[np.uint32],
    n: np.int64,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return each pixel's row in the sorted table and each row's count; an empty `opacity` means all opaque."""
    index = np.empty(pixels.shape[0], np.uint32)
    for i in range(index.size):
        place = zorder(pixels[i, 0], pixels[i, 1], pixels[i, 2])
        word = place >> 6
        below = seen[word] & ((np.uint64(1) << (place & 63)) - np.uint64(1))
        index[i] = np.int64(first_rank[word]) + ones(below)
    return index, _count_rows(index, opacity, n)


@kernel
def _count_rows(index: NDArray[np.uint32], opacity: NDArray[np.uint8], n: np.int64) -> NDArray[np.int64]:
    """Return how often each of n rows occurs in `index`, or how opaque its pixels are together.

    Counted in four places at a time: neighbours are alike, and each would wait for the count just written.
    """
    counts, quarter = np.zeros(n, np.int64), index.size // 4
    for i in range(quarter):
        for part in range(4):
            at = part * quarter + i
            counts[index[at]] += opacity[at] if opacity.size else 1
    for at in range(4 * quarter, index.size):
        counts[index[at]] += opacity[at] if opacity.size else 1
    return counts
