"""One part of a run that is split over machines: which images are its own, and the words that name it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass

from flatpipe import layout
from flatpipe.errors import ConfigError

_MOST_PARTS = 10_000
# ^ more than any array of jobs; each has a ledger of its own
_WORDS = re.compile(r"(\d{1,9})/(\d{1,9})", re.ASCII)
_FRAME = re.compile(r"(#\d+)+$", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class RunPart:
    """A part of a run: the images that fall to it of `count` parts."""

    count: int
    index: int
    # ^ from 0

    def __str__(self) -> str:
        """As it is typed: `2/8`."""
        return f"{self.index}/{self.count}"

    @property
    def name(self) -> str:
        """The name of its folders: `2-of-8`."""
        return layout.part_name(self.index, self.count)

    @property
    def folder(self) -> str:
        """Where its ledger, its lease and its runs lie, below the output and below the state folder."""
        return layout.part_folder(str(self))

    def holds(self, image_id: str) -> bool:
        """Whether an image is one of its own."""
        return index_of(image_id, self.count) == self.index


def index_of(image_id: str, count: int) -> int:
    """To which of so many parts an image falls: by the sha256 of its id, whatever other images there are.

    Frames of one file fall to the same part, so that only that one opens the file.
    """
    digest = hashlib.sha256(os.fsencode(_FRAME.sub("", image_id))).digest()
    return int.from_bytes(digest[:8], "big") % count


def part_named(name: str) -> RunPart | None:
    """The part whose folders have this name; None for any other name."""
    found = layout.part_of_name(name)
    return None if found is None else RunPart(found[1], found[0])


def parse_part(text: str) -> RunPart:
    """The part that `2/8` names; raises ConfigError."""
    found = _WORDS.fullmatch(text)
    if found is None:
        raise ConfigError(f"--shard {text}: must be I/N, such as 0/4 for the first of four parts, or auto")
    index, count = map(int, found.groups())
    return checked_part(index, count, f"--shard {text}")


def checked_part(index: int, count: int, asked: str) -> RunPart:
    """The part of this index among so many; raises ConfigError, which begins with what was `asked`."""
    if not 1 <= count <= _MOST_PARTS:
        raise ConfigError(f"{asked}: there can be 1 to {_MOST_PARTS:,} parts")
    if not index < count:
        raise ConfigError(f"{asked}: {count} parts are numbered from 0 to {count - 1}")
    return RunPart(count, index)
