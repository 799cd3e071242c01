"""The frozen records that cross layer borders. All are small and picklable; none holds pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

from flatpipe.places import ReadPolicy
from flatpipe.quantize.options import CostlyMetric, FlattenOptions, Weighing
from flatpipe.vocabulary import SHORTEST_MS, AnimationFormat, PaletteFormat, Stage, Truncated

Row = tuple[str | bytes | int | float | None, ...]
# ^ of a table, its columns in the order that flatpipe/ledger names


@dataclass(frozen=True, slots=True)
class ImageSource:
    """One image to flatten, as discovery found it."""

    image_id: str
    # ^ path relative to the input root, "/" between parts, with its extension ("#003" appended for a later frame)
    path: str
    # ^ where to read it: an absolute local path or a URL
    size: int
    # ^ bytes
    stamp: str
    # ^ changes whenever the file may have changed: size, mtime, ctime, or an object store's ETag
    frame: int = 0


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


INTERRUPTED = "interrupted"
# ^ `error` of what was not begun because the run was stopped; never a row of failures.csv


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an image has no result: a row of failures.csv."""

    stage: Stage
    error: str
    # ^ the stable word of an ImageError class
    message: str
    fatal: bool = False
    # ^ True when every other image would fail alike (disk full, output read-only): the run is given up


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One image of the current run: what is to be computed, and why; nothing to do when ks is empty and sweep False."""

    source: ImageSource
    ks: tuple[int, ...]
    sweep: bool
    reason: str
    group: str | None = None
    # ^ the images that it shares palettes with; None: it has its own

    @property
    def is_current(self) -> bool:
        """True when every output of the image is already there and right."""
        return not self.ks and not self.sweep


@dataclass(frozen=True, slots=True)
class LoadToken:
    """What loading an image taught us; the pixels stay in the worker's cache."""

    image_id: str
    content: str = ""
    # ^ sha256 of the file's bytes, hex
    width: int = 0
    height: int = 0
    distinct_colors: int = 0
    notes: tuple[str, ...] = ()
    # ^ what was done to get to sRGB pixels: "rotated (EXIF 6)", "16 bit scaled to 8"
    seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class FlattenResult:
    """One saved flat image."""

    image_id: str
    k: int
    n_colors: int = 0
    mse: float = 0.0
    # ^ mean over pixels of the squared RGB distance to the written colour, summed over channels
    palette: tuple[str, ...] = ()
    # ^ "#rrggbb", by lightness
    weights: tuple[int, ...] = ()
    # ^ pixels that each palette colour covers; with alpha kept, their opacities (0..255) summed
    bytes: int = 0
    sha256: str = ""
    seconds: float = 0.0
    metrics: tuple[tuple[str, float | None], ...] = ()
    # ^ the costly ones, where they were asked for; None where the image has no such value
    failure: Failure | None = None

    @property
    def shares(self) -> tuple[float, ...]:
        """Part of the counted pixels that each palette colour covers; sums to 1 unless nothing counts."""
        total = sum(self.weights) or 1
        return tuple(weight / total for weight in self.weights)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The files of an image that need all its k: the animation and palettes.json."""

    image_id: str
    animation_bytes: int = 0
    animation_sha256: str = ""
    palettes_bytes: int = 0
    palettes_sha256: str = ""
    files: tuple[tuple[str, str], ...] = ()
    # ^ (name, sha256) of every file that the task wrote; a name without "/" lies in the image's folder
    seconds: float = 0.0
    failure: Failure | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    # ^ (name, bytes) of the same files


@dataclass(frozen=True, slots=True)
class ImageResult:
    """All that one image's graph came to."""

    source: ImageSource
    token: LoadToken
    flats: tuple[FlattenResult, ...] = ()
    sweep: SweepResult | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class GivenPalette:
    """The palette that the images of a group share for one k."""

    k: int
    colors: tuple[str, ...]
    digest: str
    # ^ of the colours, "#rrggbb" row by row, as outputs are recorded with it


@dataclass(frozen=True, slots=True)
class SettingsDigests:
    """Under which digests outputs of the current settings are recorded."""

    flat: tuple[tuple[int, str], ...]
    # ^ (k, digest)
    sweep: str
    given: tuple[GivenPalette, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What the driver keeps of one image, made by its worker: rows that need no more work."""

    source: ImageSource
    failure: Failure | None
    pairs: int
    # ^ flat images made
    seconds: float
    # ^ that a worker was busy with it
    line: str
    # ^ the outcome as a JSON object: what `--json` prints and the run's log keeps
    image_row: Row | None = None
    # ^ of the ledger's table `images`; None when the file could not be read
    flat_rows: tuple[Row, ...] = ()
    sweep_row: Row | None = None

    @property
    def is_interrupted(self) -> bool:
        """Whether a stop cut the image short: it is neither done nor failed."""
        return self.failure is not None and self.failure.error == INTERRUPTED


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What is the same for every task of a run."""

    output: str
    # ^ output root: an absolute local path or a URL
    run: str = ""
    # ^ id of the run, so that stopping one leaves others in the same workers alone
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
    io_retries: int = 1
    # ^ how often a read or write that failed for a passing reason is tried again
    seconds_per_image: float | None = None
    # ^ time limit of one decoding; obeyed where a worker process can be ended
