"""A group's images cut into parts whose colours are counted together, and the tree in which the parts are added up.

Where a part ends is drawn by the id of its last image alone, and so is where a branch of the tree ends: one image more
or less changes the part that it falls into and the branches above it, and nothing else of however many images. (Such
trees are known from databases that compare versions: prolly trees.) A sum's key is a digest of the contents that it
counts, so equal parts have one sum, wherever and whenever they were counted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flatpipe.ledger.shared_rows import part_key, sum_key

_PART_BYTES = 4 << 20
# ^ of files in a part, on average: a few photographs, so that few are counted again when one more has come
_PART_IMAGES = 64
# ^ of a part, on average, where files are small
_BRANCHES = 16
# ^ sums that one sum adds up, on average
_DRAWN = 1 << 64


@dataclass(frozen=True, slots=True)
class Part:
    """Images of a group, one after another, that are counted together."""

    first: int
    last: int
    # ^ numbers of the images, as the sources on disk have them
    images: int
    key: str
    # ^ of their sum; "" while the content of one is not known
    height: int
    # ^ how many branches of the tree end with it


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of sums."""

    key: str
    parts: tuple[str, ...]
    # ^ keys of what is added up


@dataclass(slots=True)
class Parts:
    """Cuts images into parts as they come."""

    how: str
    # ^ digest of how colours are counted: sums of other settings have other keys
    _first: int = 0
    _last: int = 0
    _contents: list[str] | None = None

    def add(self, number: int, image_id: str, size: int, content: str) -> Part | None:
        """Take in one more image; the part that it ends, if it does. `content` is "" where it is not known."""
        if self._contents is None:
            self._first, self._contents = number, []
        self._last = number
        self._contents.append(content)
        height = _height(image_id, size)
        return None if height is None else self._end(height)

    def end(self) -> Part | None:
        """The part of the images that are left, if any."""
        return None if self._contents is None else self._end(0)

    def _end(self, height: int) -> Part:
        contents, self._contents = self._contents or [], None
        key = part_key(contents, self.how) if all(contents) else ""
        return Part(self._first, self._last, len(contents), key, height)


def _height(image_id: str, size: int) -> int | None:
    """How many branches end with an image; None where not even a part does."""
    drawn = int.from_bytes(hashlib.sha256(os.fsencode(image_id)).digest()[:8], "big")
    chance = min(_DRAWN, max(_DRAWN // _PART_IMAGES, _DRAWN * size // _PART_BYTES))
    if drawn >= chance:
        return None
    height = 0
    while drawn * _BRANCHES < chance:
        drawn, height = drawn * _BRANCHES, height + 1
    return min(height, 16)


def sums_of(parts: Iterable[tuple[str, int]]) -> Iterator[list[Sum]]:
    """The tree over parts, each a key and a height: the sums of each floor, from the lowest to the root.

    The last floor has one sum at most. Branches of a single sum are that sum.
    """
    floor, level = list(parts), 0
    while len(floor) > 1:
        level += 1
        branches = list(_branches(floor, level))
        yield [branch for branch, _ in branches if len(branch.parts) > 1]
        floor = [(branch.key, height) for branch, height in branches]


def root_of(parts: Sequence[tuple[str, int]]) -> str:
    """The key of the sum of all parts; "" of none."""
    if len(parts) < 2:
        return parts[0][0] if parts else ""
    *_, last = sums_of(parts)
    return last[0].key


def _branches(floor: list[tuple[str, int]], level: int) -> Iterator[tuple[Sum, int]]:
    """The floor's sums in branches, each as one sum with the height at which it ends; all in one on the top floor."""
    is_top = not any(height >= level for _, height in floor[:-1])
    held: list[str] = []
    for row, (key, height) in enumerate(floor):
        held.append(key)
        if row == len(floor) - 1 or (height >= level and not is_top):
            yield Sum(held[0] if len(held) == 1 else sum_key(held), tuple(held)), height
            held = []
