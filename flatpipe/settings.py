"""What is the same for every task of a run, as frozen records: small, and picklable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args

from flatpipe.places import ReadPolicy
from flatpipe.quantize.options import CostlyMetric, EyeMetric, FlattenOptions, Weighing
from flatpipe.vocabulary import SHORTEST_MS, AnimationFormat, Flats, PaletteFormat, Truncated


@dataclass(frozen=True, slots=True)
class DecodePolicy:
    """What decoding may do and must refuse."""

    max_pixels: int = 200_000_000
    max_bytes: int | None = None
    # ^ the worker's share of memory for one decoded image; None: no limit beyond max_pixels
    truncated: Truncated = "fail"
    alpha: str = "keep"
    # ^ "keep", or the background "#rrggbb" that transparent pixels are composited onto


@dataclass(frozen=True, slots=True)
class AnimationOptions:
    """How the sweep is assembled. Durations in milliseconds, max_side in pixels (None: full size)."""

    enabled: bool = True
    format: AnimationFormat = "gif"
    frame_ms: int = 400
    hold_ms: int = 1500
    max_side: int | None = 1024
    captions: bool = False
    fade: int = 0
    # ^ frames between each k and what comes next; within frame_ms, at least SHORTEST_MS each

    @property
    def fade_ms(self) -> int:
        """How long each frame of a fade is shown: together half of frame_ms, in whole 1/100 s as a GIF counts."""
        return max(SHORTEST_MS, self.frame_ms // (20 * self.fade) * 10) if self.fade else 0

    @property
    def flat_ms(self) -> int:
        """How long a flat frame itself is shown: what the fade leaves of frame_ms."""
        return self.frame_ms - self.fade * self.fade_ms


@dataclass(frozen=True, slots=True)
class GivenPalette:
    """The palette that the images of a group share for one k."""

    k: int
    colors: tuple[str, ...]
    digest: str
    # ^ of the colours, "#rrggbb" row by row, as outputs are recorded with it


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What is the same for every task of a run."""

    output: str
    # ^ output root: an absolute local path or a URL
    run: str = ""
    # ^ id of the run, so that stopping one leaves others in the same workers alone
    part: str = ""
    # ^ of the run that writes: the folder where its files wait until they are whole, beside those of other parts
    flatten: FlattenOptions = field(default_factory=FlattenOptions)
    reading: ReadPolicy = field(default_factory=ReadPolicy)
    decode: DecodePolicy = field(default_factory=DecodePolicy)
    animation: AnimationOptions = field(default_factory=AnimationOptions)
    name_width: int = 2
    # ^ digits of k in file names: that of the widest k
    widest_k: int = 10
    # ^ layout.widest_k of the run's ks: the boxes of all captions hold it
    n_ks: int = 14
    # ^ flats of a sweep: what its fades take in memory
    flats: Flats = "all"
    # ^ which flats are written: all of them, the suggested one, none
    pictures: bool = True
    stills: bool = False
    # ^ whether the sweep task makes the report's pictures too; contact_sheet.png and colorspace.png among them
    palettes: tuple[PaletteFormat, ...] = ()
    # ^ formats of palette files beside each flat image
    target: str = ""
    # ^ which flat is best.png too: that of the "knee", or the first to reach "psnr>=30" (dB); "": none
    named: tuple[tuple[str, str, str], ...] = ()
    # ^ colours that have a name or a code: "#rrggbb", name, code
    is_shared: bool = False
    weigh: Weighing = "pixels"
    # ^ whether images share palettes, and what counts alike in their colours
    given: tuple[GivenPalette, ...] = ()
    # ^ those of the images at hand, by k
    metrics: tuple[CostlyMetric, ...] = ()
    # ^ costly measures of quality to take of each flat
    features: bool = False
    # ^ whether features.parquet stands beside the tables
    pieces: str = ""
    # ^ folder below the output root for tar files with the outputs of some images, until they are packed as shards;
    #   "": each image's outputs get a folder of their own
    io_retries: int = 1
    # ^ how often a read or write that failed for a passing reason is tried again
    seconds_per_image: float | None = None
    # ^ time limit of one decoding; obeyed where a worker process can be ended

    @property
    def has_best(self) -> bool:
        """Whether the flat that `target` names is written as best.png too."""
        return bool(self.target) and self.flats != "none"

    @property
    def paints_each(self) -> bool:
        """Whether something needs the pixels of every flat: its file, its frame, a measure of what an eye sees."""
        return self.flats == "all" or self.animation.enabled or not set(get_args(EyeMetric)).isdisjoint(self.metrics)
