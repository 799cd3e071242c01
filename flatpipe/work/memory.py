"""How much memory an image takes, estimated from its header."""

from __future__ import annotations

from dataclasses import dataclass

from flatpipe.decode.decode import read_header
from flatpipe.errors import ImageError
from flatpipe.records import ImageSource, TaskSettings
from flatpipe.storage.reading import read_input

DECODING_SHARE = 0.6
# ^ of a worker's memory for decoding one image; the rest is for what stays of it and for the libraries
BASE_BYTES = 400 << 20
# ^ resident in a worker that has its libraries loaded and its kernels compiled
_WORK_RATIO = 2.0
# ^ memory for one image at its worst moment, clustering included, over that for decoding it: measured 1.7 for a JPEG of
#   24 megapixels, 4 for a PNG of noise; low, because what is refused here does not run at all


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Memory for one image at its worst moment, the worker itself (BASE_BYTES) not included."""

    bytes: int
    pixels: int


def memory_needed(source: ImageSource, settings: TaskSettings) -> MemoryNeed | None:
    """What one image takes; None when its header cannot be read, or says that it will be refused."""
    try:
        header = read_header(read_input(source, settings.reading), settings.decode)
    except (OSError, ImageError):
        return None
    return MemoryNeed(int(header.peak_bytes * _WORK_RATIO), header.pixels)
