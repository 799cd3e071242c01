"""What a search has found, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flatpipe.text import counted, printable

if TYPE_CHECKING:
    from flatpipe.features.search import Match, Searched


def searched_text(found: Searched) -> str:
    """How much was looked at, and found."""
    if not found.palettes:
        return "there is no palette to look at: no image is done, or none has that k"
    looked_at = f"of {counted(found.palettes, 'palette')} looked at"
    if not found.matches:
        return f"none {looked_at} has that"
    return f"{counted(len(found.matches), 'image')} {looked_at}"


def match_rows(matches: Sequence[Match]) -> Iterator[tuple[str, ...]]:
    """The cells of a table with a head: image, k, then for each colour what the image has, its share and distance."""
    colors = len(matches[0].colors) if matches else 0
    yield ("image", "k", *("colour", "share", "distance") * colors, "file")
    for match in matches:
        cells = (cell for near in match.colors for cell in (near.hex, f"{near.share:.1%}", f"{near.distance:.4f}"))
        row = match.row
        yield (printable(row.image), str(row.k), *cells, printable(row.file or ""))
