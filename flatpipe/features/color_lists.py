"""The palettes of many rows as a few long arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import OKLAB_UNIT, to_space


@dataclass(frozen=True, slots=True)
class ColorLists:
    """The colours of some rows, one row's behind the other's, each with its share."""

    colors: NDArray[np.uint8]
    # ^ (n, 3) sRGB
    shares: NDArray[np.float32]
    # ^ (n,) part of its row's counted pixels, 0..1
    starts: NDArray[np.int32]
    # ^ (rows + 1,) where each row's colours begin, and where the last one's end

    @property
    def oklab(self) -> NDArray[np.int32]:
        """The colours in Oklab, (n, 3) in whole numbers of 1 / 2^15: equal on every machine, and told apart as well."""
        return to_space(self.colors, "oklab")

    @property
    def oklab_floats(self) -> NDArray[np.float32]:
        """The same as L (0..1), a and b; exact, for a float32 holds more digits than these whole numbers have."""
        return (self.oklab / OKLAB_UNIT).astype(np.float32)


def color_lists(palettes: Iterable[str], weights: Iterable[str]) -> ColorLists:
    """The lists of palettes "rrggbbrrggbb..." with the weights of their colours, "9 7 3", as the ledger gives them.

    Raises ValueError where a palette has not as many weights as colours.
    """
    texts = list(palettes)
    counts = np.fromiter((len(text) // 6 for text in texts), np.int64, len(texts))
    weighed = np.array(" ".join(weights).split(), np.int64)
    sums = np.concatenate([[0], np.cumsum(weighed)])[_starts(counts)]
    totals = np.repeat(np.maximum(np.diff(sums), 1), counts)
    # ^ 1 where nothing counts: an image that is clear all over
    return lists_of("".join(texts), counts, (weighed / totals).astype(np.float32))


def lists_of(colors: str, counts: NDArray[np.int64], shares: NDArray[np.float32]) -> ColorLists:
    """The lists of colours "rrggbbrrggbb...", of which each row has its count; raises ValueError as `color_lists`."""
    levels = np.frombuffer(bytes.fromhex(colors), np.uint8).reshape(-1, 3)
    if not len(levels) == len(shares) == counts.sum():
        raise ValueError("a palette has not as many shares as colours")
    return ColorLists(levels, shares, _starts(counts).astype(np.int32))


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
