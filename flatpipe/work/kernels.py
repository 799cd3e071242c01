"""The kernels of all rooms: compiled part by part, each part noted when it is done, so that nobody compiles twice.

`python -m flatpipe.work.kernels search seeding` compiles some parts, and prints the name of each as it is done.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np

from flatpipe.encode.deflate.stream import zlib_stream
from flatpipe.encode.lzw import lzw_blocks
from flatpipe.quantize import kernels
from flatpipe.quantize.kernel_cache import is_noted, note


def _lzw() -> None:
    lzw_blocks(np.zeros((1, 2), np.uint8), 2)


def _deflate() -> None:
    zlib_stream(np.zeros((1, 2), np.uint8), 1)


PARTS: dict[str, Callable[[], None]] = {"deflate": _deflate, **kernels.PARTS, "lzw": _lzw}
# ^ the longest first


def missing_parts() -> list[str]:
    """The parts that are not yet compiled for these sources and this processor."""
    return [name for name, part in PARTS.items() if not is_noted(part)]


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
