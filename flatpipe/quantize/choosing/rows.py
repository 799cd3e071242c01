"""Which row of a palette each of its colours has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.options import FixedColor

Color = tuple[int, ...]


def rgb_of(colors: Iterable[str]) -> NDArray[np.uint8]:
    """Return "#rrggbb" as an array (n, 3) uint8, each colour once, in the order in which they come first."""
    different = dict.fromkeys(bytes.fromhex(color.removeprefix("#")) for color in colors)
    return np.array([list(color) for color in different], np.uint8).reshape(-1, 3)


def fixed_colors(fixed: Sequence[FixedColor], k: int) -> NDArray[np.uint8]:
    """Return the fixed colours (n, 3) uint8; raise ValueError where a palette of k colours cannot have them all so."""
    colors = rgb_of(color.color for color in fixed)
    if len(colors) > k:
        raise ValueError(f"{len(colors)} fixed colours have no room in a palette of {k}")
    row_of: dict[int, str] = {}
    for color in fixed:
        if color.row is None:
            continue
        if not 0 <= color.row < k:
            raise ValueError(f"{color.color} cannot stand in row {color.row} of a palette of {k}")
        if row_of.setdefault(color.row, color.color) != color.color:
            raise ValueError(f"{color.color} and {row_of[color.row]} cannot both stand in row {color.row}")
    if len({*row_of.values()}) < len(row_of):
        raise ValueError("a fixed colour cannot stand in two rows")
    return colors


def without(colors: NDArray[np.uint8], fixed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return those of `colors` (n, 3) that are not `fixed` (p, 3), in their order."""
    is_fixed = (colors[:, None] == fixed).all(axis=2).any(axis=1)
    left: NDArray[np.uint8] = colors[~is_fixed]
    return left


def in_rows(fixed: Sequence[FixedColor], others: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a palette of the fixed colours and the `others` (n, 3), none of them fixed, in their order.

    A fixed colour with a row stands there. In the rows left stand the other fixed ones in their order, then `others`.
    Where these do not reach up to a row that is asked for, the colour before is repeated; no pixel gets the second.
    """
    given = {color.row: _levels(color.color) for color in fixed if color.row is not None}
    without = [_levels(color.color) for color in fixed if color.row is None]
    placed = {*given.values()}
    left = [*(color for color in dict.fromkeys(without) if color not in placed), *map(tuple, others.tolist())]
    left.reverse()
    palette: list[Color | None] = []
    while left or given:
        row = len(palette)
        palette.append(given.pop(row, None) or (left.pop() if left else None))
    return np.array(_without_gaps(palette), np.uint8)


def _without_gaps(palette: list[Color | None]) -> list[Color]:
    """Return the rows with the colour before in each that has none; before the first colour, with that."""
    last = next(color for color in palette if color is not None)
    filled = []
    for color in palette:
        last = color or last
        filled.append(last)
    return filled


def _levels(color: str) -> Color:
    return tuple(bytes.fromhex(color.removeprefix("#")))
