"""Which colour of one palette continues as which of the next, and from which the others split off.

J. Munkres, "Algorithms for the assignment and transportation problems", 1957; by shortest augmenting paths as R. Jonker
and A. Volgenant, 1987, find them. Costs are whole numbers: every machine gets the same assignment. Written here because
scipy.optimize takes 0.6 s to import, four times what a photograph takes (docs/decisions.md has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FAR = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Descent:
    """Where the colours of a palette come from."""

    parent: NDArray[np.intp]
    # ^ (m,): row of the palette before
    is_new: NDArray[np.bool_]
    # ^ (m,): whether it split off its parent, rather than continue it; no two colours continue the same one


def descent(
    before: NDArray[np.uint8], weights_before: NDArray[np.int64], after: NDArray[np.uint8], weights: NDArray[np.int64]
) -> Descent:
    """How the palette `after` (m, 3) comes from `before` (n, 3); weights (n,) and (m,) are pixels that each has.

    As many colours continue as the shorter palette has, so that the squared RGB distances that its colours go, times
    their weights, sum up to the least. Every other colour has the nearest one as its parent.
    """
    squared = ((before.astype(np.int64)[:, None] - after.astype(np.int64)) ** 2).sum(axis=2)
    parent, is_new = squared.argmin(axis=0), np.ones(len(after), dtype=bool)
    if len(before) <= len(after):
        parent_of = assigned(squared * weights_before[:, None])
        parent[parent_of], is_new[parent_of] = np.arange(len(before)), False
    else:
        parent, is_new = assigned(squared.T * weights[:, None]), np.zeros(len(after), dtype=bool)
    return Descent(parent, is_new)


def assigned(costs: NDArray[np.int64]) -> NDArray[np.intp]:
    """For each row of `costs` (n, m), n <= m, a column of its own, so that their costs sum up to the least."""
    row_prices, column_prices = costs.min(axis=1), np.zeros(costs.shape[1], np.int64)
    row_of, column_of = np.full(costs.shape[1], -1), np.full(len(costs), -1)
    columns, rows = np.unique(costs.argmin(axis=1), return_index=True)
    row_of[columns], column_of[rows] = rows, columns
    # ^ whose cheapest column no row before has: nearly all, where one palette follows another
    for row in np.flatnonzero(column_of < 0):
        _augment(int(row), costs, row_prices, column_prices, row_of, column_of)
    return column_of


def _augment(
    row: int,
    costs: NDArray[np.int64],
    row_prices: NDArray[np.int64],
    column_prices: NDArray[np.int64],
    row_of: NDArray[np.intp],
    column_of: NDArray[np.intp],
) -> None:
    """Give `row` a column, and others another one where that is cheaper; prices and assignment are INOUT."""
    lengths = costs[row] - row_prices[row] - column_prices
    came_from, is_settled = np.full(len(lengths), row), np.zeros(len(lengths), dtype=bool)
    while True:
        column = int(np.where(is_settled, _FAR, lengths).argmin())
        length, is_settled[column] = lengths[column], True
        through = int(row_of[column])
        if through < 0:
            break
        longer = length + costs[through] - row_prices[through] - column_prices
        is_shorter = (longer < lengths) & ~is_settled
        lengths[is_shorter], came_from[is_shorter] = longer[is_shorter], through
    is_settled[column] = False
    spared = length - lengths[is_settled]
    row_prices[row] += length
    row_prices[row_of[is_settled]] += spared
    column_prices[is_settled] -= spared
    while column >= 0:
        taker = int(came_from[column])
        row_of[column] = taker
        column, column_of[taker] = int(column_of[taker]), column
