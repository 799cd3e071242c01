"""The config as frozen models: every key with its meaning, unit, range and default, in one place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from flatpipe.config.values import parse_alpha, parse_failures, parse_k, parse_workers
from flatpipe.quantize.options import Solver, Space

IMAGE_PATTERNS = (
    "**/*.{png,apng,jpg,jpeg,jpe,jfif,mpo,gif,webp,tif,tiff,bmp,dib,ppm,pgm,pbm,pnm,pfm,tga,jp2,j2k,jpx,j2c,jpc}",
    "**/*.{avif,avifs,heic,heif,ico,cur,icns,pcx,sgi,rgb,rgba,bw,qoi,dds,psd,xbm,xpm,dcx,fits,fli,flc,im,msp,spider}",
)


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Patterns = Annotated[tuple[StrictStr, ...], BeforeValidator(_as_tuple)]
Ks = Annotated[tuple[int, ...], BeforeValidator(parse_k)]
Alpha = Annotated[str, BeforeValidator(parse_alpha)]
Workers = Annotated[int | Literal["auto"], BeforeValidator(parse_workers)]
MaxFailures = Annotated[int | float | None, BeforeValidator(parse_failures)]


class Section(BaseModel):
    """A mapping whose keys are all known, and which never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class InputSection(Section):
    """Which images to flatten."""

    path: StrictStr = Field(min_length=1)
    """Folder of images (searched through), one image file, or a URL such as s3://bucket/photos."""
    include: Patterns = IMAGE_PATTERNS
    """Patterns of files to take, relative to path; ** crosses folders, {a,b} is either, case does not matter."""
    exclude: Patterns = ()
    """Patterns of files to leave out."""
    follow_symlinks: StrictBool = False
    """Whether links may lead out of path, and into other folders."""
    truncated: Literal["fail", "fill"] = "fail"
    """A file that ends too early: fail it, or fill what is missing."""


class OutputSection(Section):
    """Where results go."""

    path: StrictStr = Field(default="outputs", min_length=1)
    """Folder of results, made when missing; it may not overlap the input."""


class FlattenSection(Section):
    """How colours are clustered."""

    k: Ks = tuple(range(2, 16))
    """Numbers of colours, each 1..256: a number, a list, or {min, max}."""
    solver: Solver = "multilevel"
    """multilevel (best and fastest), sklearn (scikit-learn's KMeans), or textbook (plain Lloyd iteration, slow)."""
    seed: StrictInt = Field(default=0, ge=0, le=2**32 - 1)
    """Start of the random numbers; the same seed gives the same bytes."""
    space: Space = "rgb"
    """Colour space in which distance is measured: rgb, or oklab (perceptual)."""
    alpha: Alpha = "keep"
    """Transparency: keep it, or put images on a background colour such as "#ffffff"."""


class AnimationSection(Section):
    """The sweep over k that each image gets."""

    enabled: StrictBool = True
    """Whether to make it."""
    format: Literal["gif", "webp", "apng"] = "gif"
    """gif (opens everywhere; the original in 256 colours), webp or apng (every frame exact)."""
    frame_ms: StrictInt = Field(default=400, ge=20, le=60_000)
    """Milliseconds that each k is shown."""
    hold_ms: StrictInt = Field(default=1500, ge=20, le=60_000)
    """Milliseconds that the original at the end is shown."""
    max_side: StrictInt | None = Field(default=1024, ge=16, le=16_383)
    """Longest side of its frames in pixels; null keeps the full size."""


class LimitsSection(Section):
    """What one image may cost."""

    max_pixels: StrictInt = Field(default=200_000_000, ge=1)
    """Pixels of the largest image to decode; a larger one is a failure row."""
    seconds_per_image: float | None = Field(default=600.0, gt=0)
    """Seconds that decoding one image may take when workers are processes; null sets no limit."""


class ErrorsSection(Section):
    """How much may go wrong."""

    max_failures: MaxFailures = None
    """Give the run up (exit 3) when more images fail: a number, a share such as 5%, or null for never."""
    retries: StrictInt = Field(default=1, ge=0, le=10)
    """How often a read or write that failed for a passing reason is tried again."""

    def allowed_failures(self, images: int) -> int | None:
        """How many of so many images may fail before the run is given up; None: all of them."""
        if isinstance(self.max_failures, float):
            return int(self.max_failures * images)
        return self.max_failures


class ExecutionSection(Section):
    """What carries the run."""

    scheduler: Literal["auto", "synchronous", "threads", "processes"] = "auto"
    """auto, synchronous (one core, for debugging), threads, or processes (a Dask LocalCluster)."""
    workers: Workers = "auto"
    """Threads or processes; auto: one per core."""
    granularity: Literal["auto", "pair", "image", "batch"] = "auto"
    """What one Dask task is: a (image, k) pair, an image, a batch of small images, or what fits the files' sizes."""
    state_path: StrictStr | None = None
    """Local folder of ledger.sqlite; null: the output folder. Needed when the output is a URL."""


class Config(Section):
    """A whole config, every value checked and in place."""

    version: Literal[1] = 1
    """Version of this file's format."""
    input: InputSection
    output: OutputSection = OutputSection()
    flatten: FlattenSection = FlattenSection()
    animation: AnimationSection = AnimationSection()
    limits: LimitsSection = LimitsSection()
    errors: ErrorsSection = ErrorsSection()
    execution: ExecutionSection = ExecutionSection()
