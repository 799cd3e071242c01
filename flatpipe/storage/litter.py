"""What lies among pictures and is none: names that systems leave there, and what is passed over, counted."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from flatpipe.places import CONFIG, SCHEMA

Why = Literal["litter", "hidden", "linked folders", "other files"]
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


def unsought(name: str) -> Why | None:
    """Why nobody means a folder or file of this name, wherever it lies; None for others."""
    return "litter" if name.lower() in _LITTER else "hidden" if name.startswith(".") else None
