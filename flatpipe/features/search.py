"""Images that have a colour, or several: the nearest colour of each palette, and how much of the image it covers."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flatpipe.features.color_lists import ColorLists
from flatpipe.features.searched import SearchedRow, SearchedRows
from flatpipe.quantize.color_space import OKLAB_UNIT, to_space

_NOWHERE = np.iinfo(np.int64).max
# ^ squared distance of what a palette does not have


@dataclass(frozen=True, slots=True)
class ColorQuery:
    """What is looked for."""

    colors: tuple[str, ...]
    # ^ "#rrggbb", each once; an image must have all of them
    within: float | None = None
    # ^ farthest distance in OKLab that counts; None: any
    share: float = 0.0
    # ^ least part of the image that each must cover, 0..1; what covers nothing is not there
    limit: int = 20

    @property
    def oklab(self) -> NDArray[np.int32]:
        """The colours in whole Oklab units, (n, 3) int32."""
        levels = bytes.fromhex("".join(self.colors).replace("#", ""))
        return to_space(np.frombuffer(levels, np.uint8).reshape(-1, 3), "oklab")

    @property
    def oklab_floats(self) -> NDArray[np.float64]:
        """The same as L (0..1), a and b."""
        return self.oklab / OKLAB_UNIT


@dataclass(frozen=True, slots=True)
class NearColor:
    """A colour that was asked for, and what an image has of it."""

    asked: str
    hex: str
    # ^ the palette's nearest colour
    share: float
    distance: float
    # ^ in OKLab: an eye can just tell about 0.02


@dataclass(frozen=True, slots=True)
class Match:
    """An image that has what was asked for."""

    row: SearchedRow
    colors: tuple[NearColor, ...]
    # ^ in the order in which they were asked for
    distance: float
    # ^ of the farthest of them


@dataclass(slots=True)
class Searched:
    """What a search has come to."""

    palettes: int = 0
    # ^ looked at
    matches: list[Match] = field(default_factory=list)
    # ^ the best first; of equals in the order of image ids, then k


def search(batches: Iterable[SearchedRows], query: ColorQuery) -> Searched:
    """The images that have all colours of a query, those first whose farthest colour is nearest."""
    found = Searched()
    found.matches = heapq.nsmallest(query.limit, _matches(batches, query, found), key=lambda match: match.distance)
    return found


def _matches(batches: Iterable[SearchedRows], query: ColorQuery, found: Searched) -> Iterator[Match]:
    """The best matches of each batch, in the order of its rows; counts palettes as it goes."""
    asked = query.oklab.astype(np.int64)
    most = _NOWHERE - 1 if query.within is None else int((query.within * OKLAB_UNIT) ** 2)
    for batch in batches:
        found.palettes += len(batch.lists.starts) - 1
        squared = _squared(batch.lists, asked, query.share)
        worst = _least_of_rows(squared, batch.lists.starts).max(axis=0)
        best = np.argsort(worst, kind="stable")[: query.limit]
        for number in np.sort(best[worst[best] <= most]).tolist():
            yield _match(batch, query, squared, number)


def _squared(lists: ColorLists, asked: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Squared distance of each colour asked for to each of the lists, (asked, n), _NOWHERE to those of too small share.

    In whole Oklab units: ties are ties on every machine.
    """
    oklab = lists.oklab.astype(np.int64)
    squared = ((asked[:, None] - oklab[None]) ** 2).sum(axis=2)
    is_there = (lists.shares > 0) & (lists.shares >= np.float32(share))
    return np.where(is_there, squared, _NOWHERE)


def _least_of_rows(squared: NDArray[np.int64], starts: NDArray[np.int32]) -> NDArray[np.int64]:
    """The least of each row's distances, (asked, rows)."""
    ends = np.column_stack([squared, np.full(len(squared), _NOWHERE)])
    least: NDArray[np.int64] = np.minimum.reduceat(ends, starts, axis=1)[:, :-1]
    # ^ of a row without colours that of the next row's first
    least[:, np.diff(starts) == 0] = _NOWHERE
    return least


def _match(batch: SearchedRows, query: ColorQuery, squared: NDArray[np.int64], number: int) -> Match:
    first, end = batch.lists.starts[number : number + 2].tolist()
    near = []
    for color, distances in zip(query.colors, squared[:, first:end], strict=True):
        place = first + int(distances.argmin())
        distance = float(np.sqrt(distances.min())) / OKLAB_UNIT
        share, levels = float(batch.lists.shares[place]), batch.lists.colors[place]
        near.append(NearColor(color, f"#{levels.tobytes().hex()}", share, distance))
    return Match(batch.row(number), tuple(near), max(one.distance for one in near))
