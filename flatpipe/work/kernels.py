"""The kernels of all rooms: compiled part by part, each part noted when it is done, so that nobody compiles twice.

`python -m flatpipe.work.kernels search seeding` compiles some parts, and prints the name of each as it is done.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flatpipe.encode.deflate.stream import zlib_stream
from flatpipe.encode.lzw import lzw_blocks
from flatpipe.encode.palettes import PaletteEntry, palettes_json
from flatpipe.pictures.colorspace import color_points
from flatpipe.quantize import kernels
from flatpipe.quantize.kernel_cache import is_noted, is_passing, note, place_of


def _lzw() -> None:
    lzw_blocks(np.zeros((1, 2), np.uint8), 2)


def _deflate() -> None:
    zlib_stream(np.zeros((1, 2), np.uint8), 1)


def _descent() -> None:
    flat = PaletteEntry(2, ("#000000", "#ffffff"), (0.5, 0.5), (1, 1), 0.0)
    palettes_json("", [flat, flat])


def _points() -> None:
    colors, counts = np.zeros((1, 3), np.uint8), np.ones(1, np.int64)
    colors.flags.writeable = counts.flags.writeable = False
    # ^ as those of a colour table are
    color_points(colors, counts)


PARTS: dict[str, Callable[[], None]] = {
    "deflate": _deflate,
    **kernels.PARTS,
    "lzw": _lzw,
    "descent": _descent,
    "points": _points,
}
# ^ the longest first


def missing_parts() -> list[str]:
    """The parts that are not yet compiled for these sources and this processor."""
    return [name for name, part in PARTS.items() if not is_noted(part)]


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whether what is compiled now can be kept, and in words why not for good, if so."""

    is_possible: bool
    words: str


def keeping() -> Keeping:
    """What becomes of kernels that are compiled now."""
    place = place_of(_lzw)
    if place is not None and not is_passing(place):
        return Keeping(is_possible=True, words="")
    why = "flatpipe's own folder and the user's cache cannot be written to; XDG_CACHE_HOME may name another"
    if place is None:
        return Keeping(is_possible=False, words=f"each process compiles anew, for half a minute: {why}")
    return Keeping(is_possible=True, words=f"what is compiled is kept in {place.parent}, while it lasts: {why}")


def load_kernels() -> None:
    """Load every kernel from the cache on disk, or compile it."""
    for part in PARTS.values():
        part()


def main(names: Sequence[str]) -> None:
    """Compile the named parts."""
    for name in names:
        PARTS[name]()
        note(PARTS[name])
        print(name, flush=True)  # noqa: T201 - read by whoever started this process


if __name__ == "__main__":
    main(sys.argv[1:])
