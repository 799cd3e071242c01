"""Which colour of one palette continues as which of the next, and from which the others split off.

J. Munkres, "Algorithms for the assignment and transportation problems", 1957; by shortest augmenting paths as R. Jonker
and A. Volgenant, 1987, find them. Costs are whole numbers: every machine gets the same assignment. Written here because
scipy.optimize takes 0.6 s to import, four times what a photograph takes (docs/decisions.md has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel

_FAR = np.int64(np.iinfo(np.int64).max)


@dataclass(frozen=True, eq=False)
class Descent:
    """Where the colours of a palette come from."""

    parent: NDArray[np.int64]
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
    return Descent(*_descend(before, weights_before, after, weights))


@kernel
def _descend(
    before: NDArray[np.uint8], weights_before: NDArray[np.int64], after: NDArray[np.uint8], weights: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    n, m = len(before), len(after)
    parent, is_new = np.zeros(m, np.int64), np.ones(m, np.bool_)
    costs, is_longer = np.empty((min(n, m), max(n, m)), np.int64), n <= m
    for j in range(m):
        nearest = _FAR
        for i in range(n):
            squared = np.int64(0)
            for c in range(3):
                squared += (np.int64(before[i, c]) - np.int64(after[j, c])) ** 2
            if squared < nearest:
                nearest, parent[j] = squared, i
            if is_longer:
                costs[i, j] = squared * weights_before[i]
            else:
                costs[j, i] = squared * weights[j]
    partner = assigned(costs)
    for row in range(len(costs)):
        new, old = (partner[row], row) if is_longer else (row, partner[row])
        parent[new], is_new[new] = old, False
    return parent, is_new


@kernel
def assigned(costs: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row of `costs` (n, m), n <= m, a column of its own, so that their costs sum up to the least."""
    n, m = costs.shape
    row_prices, column_prices = np.empty(n, np.int64), np.zeros(m, np.int64)
    row_of, column_of = np.full(m, -1, np.int64), np.full(n, -1, np.int64)
    for row in range(n):
        cheapest = costs[row].argmin()
        row_prices[row] = costs[row, cheapest]
        if row_of[cheapest] < 0:
            row_of[cheapest], column_of[row] = row, cheapest
            # ^ the first to want it: nearly all have their cheapest, where one palette follows another
    for row in range(n):
        if column_of[row] < 0:
            _augment(row, costs, row_prices, column_prices, row_of, column_of)
    return column_of


@kernel
def _augment(
    row: int,
    costs: NDArray[np.int64],
    row_prices: NDArray[np.int64],
    column_prices: NDArray[np.int64],
    row_of: NDArray[np.int64],
    column_of: NDArray[np.int64],
) -> None:
    """Give `row` a column, and others another one where that is cheaper; prices and assignment are INOUT."""
    m = row_of.size
    lengths, came_from, is_settled = np.full(m, _FAR), np.empty(m, np.int64), np.zeros(m, np.bool_)
    through, length, column = row, np.int64(0), -1
    while through >= 0:
        for other in range(m):
            longer = length + costs[through, other] - row_prices[through] - column_prices[other]
            if not is_settled[other] and longer < lengths[other]:
                lengths[other], came_from[other] = longer, through
        column = _nearest(lengths, is_settled)
        length, is_settled[column] = lengths[column], True
        through = row_of[column]
    is_settled[column] = False
    row_prices[row] += length
    for other in range(m):
        if is_settled[other]:
            row_prices[row_of[other]] += length - lengths[other]
            column_prices[other] -= length - lengths[other]
    while column >= 0:
        taker = came_from[column]
        row_of[column] = taker
        column_of[taker], column = column, column_of[taker]


@kernel
def _nearest(lengths: NDArray[np.int64], is_settled: NDArray[np.bool_]) -> int:
    """The column with the least length that is not settled, the first of equals."""
    found = -1
    for column in range(lengths.size):
        if not is_settled[column] and (found < 0 or lengths[column] < lengths[found]):
            found = column
    return found
