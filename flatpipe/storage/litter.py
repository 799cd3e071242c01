"""What lies among pictures and is none: names that systems leave there, and what is passed over, counted."""

from __future__ import annotations

from collections import Counter
from typing import Literal

Why = Literal["litter", "hidden", "linked folders", "other files"]
PassedOver = Counter[Why]
# ^ what discovery passed over, and how often

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
