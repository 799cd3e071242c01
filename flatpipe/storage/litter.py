"""What lies among pictures and is none: names that systems leave there, and what is passed over, counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from flatpipe.layout import IMAGES, LEDGER, PARTIAL, PARTS, RUN, SHARDS
from flatpipe.places import CONFIG, SCHEMA
from flatpipe.text import counted

Why = Literal["litter", "hidden", "linked folders", "output folders", "other files", "repeated entries"]
_NOUNS: dict[Why, str] = {
    "litter": "system file",
    "hidden": "hidden file",
    "linked folders": "linked folder",
    "output folders": "output folder",
    "other files": "other file",
    "repeated entries": "repeated line",
}
# ^ one of each, in words
_OWN = frozenset({CONFIG, SCHEMA})
# ^ what `flatpipe init` puts among the images: nobody asks what became of these
_MOST_SUFFIXES = 1000
# ^ kinds of other files that are told apart


@dataclass(slots=True)
class PassedOver:
    """What discovery passed over, and how often."""

    counts: Counter[Why] = field(default_factory=Counter)
    suffixes: Counter[str] = field(default_factory=Counter)
    # ^ of the other files, in lower case, "" where there is none
    empty: list[str] = field(default_factory=list)
    # ^ places, no archives, that hold no image, where the input has several

    def add(self, why: Why, name: str) -> None:
        """Take note of a file or folder of this name."""
        if why == "other files":
            if name in _OWN:
                return
            suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a Path for each of a million takes seconds
            if suffix in self.suffixes or len(self.suffixes) < _MOST_SUFFIXES:
                self.suffixes[suffix] += 1
        self.counts[why] += 1


LITTER = (
    *("@eaDir", "#recycle", "#snapshot"),
    # ^ Synology
    *("@Recycle", "@Recently-Snapshot"),
    # ^ QNAP
    *("$RECYCLE.BIN", "RECYCLER", "System Volume Information", "Thumbs.db", "ehthumbs.db", "desktop.ini"),
    # ^ Windows
    *("__MACOSX", "Network Trash Folder", "Temporary Items"),
    # ^ macOS, and archives made there; its ._* and .Trashes are hidden already
    "lost+found",
)
# ^ names of folders and files that systems leave among pictures, copies and thumbnails of them within; in any case.
#   docs/config.md has them too
_LITTER = frozenset(name.lower() for name in LITTER)


def skipped_words(passed_over: Iterable[tuple[str, int]], suffixes: Iterable[str]) -> str:
    """`1 linked folder, 2 other files skipped: .svg, .txt`; "" where nothing was."""
    counts = dict(passed_over)
    words = [counted(counts[why], noun) for why, noun in _NOUNS.items() if why in counts]
    if not words:
        return ""
    kinds = ", ".join(suffix or "no suffix" for suffix in sorted(suffixes))
    return f"{', '.join(words)} skipped{f': {kinds}' * bool(kinds)}"


def is_results(names: Iterable[str]) -> bool:
    """Whether a folder that holds these files and folders is one that a run has written."""
    there = {LEDGER, RUN, IMAGES, SHARDS, PARTS, PARTIAL}.intersection(names)
    of_elsewhere = RUN in there and not there.isdisjoint({IMAGES, SHARDS})
    of_parts = {PARTS, PARTIAL, IMAGES} <= there
    # ^ until they are merged; anybody may have folders that are called parts and images
    return LEDGER in there or of_elsewhere or of_parts


def unsought(name: str) -> Why | None:
    """Why nobody means a folder or file of this name, wherever it lies; None for others."""
    return "litter" if name.lower() in _LITTER else "hidden" if name.startswith(".") else None
