"""What is shown between two frames of a sweep: each pixel's colour on its way to the next, in linear light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.frames import Picture, pixels_of
from flatpipe.quantize.color_space import mixed
from flatpipe.quantize.palette_image import PaletteImage


@dataclass(frozen=True, slots=True)
class ColorPairs:
    """Two pictures in few colours as one, whose colours are the pairs that occur: (colour before, colour after)."""

    before: NDArray[np.uint8]
    # ^ (n, 3)
    after: NDArray[np.uint8]
    # ^ (n, 3)
    pair_map: NDArray[np.uint16]
    # ^ (h, w): the row of each pixel's pair

    def on_the_way(self, n_frames: int) -> Iterator[NDArray[np.uint8]]:
        """The colours (n, 3) of the pairs in each of `n_frames` frames between."""
        for part in range(1, n_frames + 1):
            yield mixed(self.before, self.after, part, n_frames + 1)


def color_pairs(before: PaletteImage, after: PaletteImage) -> ColorPairs:
    """The pairs of colours that occur where two pictures of one size lie on each other."""
    n_after = after.n_colors
    codes = before.label_map * np.uint32(n_after)
    codes += after.label_map
    occurs = np.zeros(before.n_colors * n_after, dtype=bool)
    occurs[codes] = True
    pairs = np.flatnonzero(occurs)
    row_of_code = np.zeros(len(occurs), dtype=np.uint16)
    row_of_code[pairs] = np.arange(len(pairs))
    return ColorPairs(before.palette[pairs // n_after], after.palette[pairs % n_after], row_of_code[codes])


def pixels_between(before: Picture, after: Picture, n_frames: int) -> Iterator[NDArray[np.uint8]]:
    """The pixels (h, w, 3) of each of `n_frames` frames between two pictures of one size."""
    first, last = pixels_of(before), pixels_of(after)
    for part in range(1, n_frames + 1):
        yield mixed(first, last, part, n_frames + 1)
