"""How much memory a process may use for what, and how much an image takes, estimated before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from flatpipe.decode.decode import read_header
from flatpipe.errors import ImageError, ImageTooLarge
from flatpipe.quantize.dithering.blue_noise import PARTS
from flatpipe.records import ImageSource
from flatpipe.settings import TaskSettings
from flatpipe.storage.reading import read_input
from flatpipe.text import in_bytes

BASE_BYTES = 400 << 20
# ^ resident in a worker that has its libraries loaded and its kernels compiled
_USABLE = 0.9
# ^ of a process's memory: Dask's nanny ends it at 95 %
_CACHE_SHARE = 0.25
# ^ of what is left beside the libraries, for images that wait in the cache
WORK_RATIO = 1.3
# ^ memory for one image at its worst moment, clustering and frames included, over that for decoding it: measured 1.1
#   for a JPEG of 16 megapixels, 1.3 for grey noise; more colours take more, which is known once they are counted
_INDEX_BYTES = 15
# ^ for each pixel while an image is flattened: its row in the colour table, its label, its opacity, what is encoded
_FADE_BYTES = 1.1
# ^ for each pixel of a frame between two others, encoded and in the file: measured 0.5 (GIF) to 1.1 (APNG)
_VIDEO_BYTES = {"mp4": 45, "webm": 85}
# ^ for each pixel of a frame, in the encoder of a video: measured 34 and 73 at 10.7 megapixels
_COLOR_BYTES = 112
# ^ for each distinct colour: the table, and the pyramid of points in which centroids are sought; measured 110
_MIXTURE_BYTES = PARTS
# ^ for each distinct colour, where flat images are dithered by blue noise: the parts that it is mixed of
_COLORS_PER_PIXEL = 0.15
# ^ of a photograph with many: 0.09 to 0.18 at 768x512 (data/), and less in larger ones


@dataclass(frozen=True, slots=True)
class Shares:
    """What the memory of one process is for, in bytes."""

    cache: int
    # ^ decoded images that wait for their next task
    decoding: int
    # ^ for decoding one image, so that all that is done with it has room


def shares(memory: int, resident: int, at_once: int = 1) -> Shares:
    """How a process of `memory` bytes, `resident` of which are taken by libraries, shares the rest among images."""
    room = max(0, int(memory * _USABLE) - resident)
    cache = int(room * _CACHE_SHARE)
    return Shares(cache, int((room - cache) / WORK_RATIO) // at_once)


def check_colors(pixels: int, colors: int, settings: TaskSettings) -> None:
    """Raise ImageTooLarge when flattening takes more than the share of which settings.decode.max_bytes are a part."""
    color_bytes = _COLOR_BYTES + (_MIXTURE_BYTES if settings.flatten.dither == "blue-noise" else 0)
    need = pixels * _INDEX_BYTES + colors * color_bytes + _sweep_bytes(pixels, settings)
    decoding = settings.decode.max_bytes
    if decoding is not None and need > decoding * WORK_RATIO:
        words = f"{pixels:,} pixels in {colors:,} colours take about {in_bytes(need)} to flatten"
        raise ImageTooLarge(f"{words}; this worker's share is {in_bytes(int(decoding * WORK_RATIO))}")


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Memory for one image at its worst moment, the worker itself (BASE_BYTES) not included."""

    bytes: int
    pixels: int

    @property
    def with_many_colors(self) -> int:
        """The same for an image of many colours, which are not known before they are counted."""
        return max(self.bytes, int(self.pixels * (_INDEX_BYTES + _COLORS_PER_PIXEL * _COLOR_BYTES)))


def memory_needed(source: ImageSource, settings: TaskSettings) -> MemoryNeed | None:
    """What one image takes; None when its header cannot be read, or says that it will be refused."""
    try:
        header = read_header(read_input(source, settings.reading), settings.decode)
    except (OSError, ImageError):
        return None
    return MemoryNeed(int(header.peak_bytes * WORK_RATIO) + _sweep_bytes(header.pixels, settings), header.pixels)


def _sweep_bytes(pixels: int, settings: TaskSettings) -> int:
    """Bytes that a sweep takes beyond its frames for each k, of so many pixels: for fades, in a video's encoder."""
    animation = settings.animation
    if not animation.enabled:
        return 0
    shown = pixels if animation.max_side is None else min(pixels, animation.max_side**2)
    each = settings.n_ks * animation.fade * _FADE_BYTES + _VIDEO_BYTES.get(animation.format, 0)
    return int(shown * each)
