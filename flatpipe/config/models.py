"""The config as frozen models: every key with its meaning, unit, range and default, in one place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StrictBool, StrictInt, StrictStr, WithJsonSchema
from pydantic import model_validator as validates_model
from pydantic_core import PydanticCustomError

from flatpipe.config.cluster import ClusterSection
from flatpipe.config.section import LocalPath, PathOrUrl, Section, allowed, is_url, unit
from flatpipe.config.values import (
    ValueRefused,
    parse_alpha,
    parse_bytes,
    parse_failures,
    parse_k,
    parse_workers,
    shown,
    shown_share,
)
from flatpipe.quantize.options import MAX_K, Solver, Space

IMAGE_PATTERNS = (
    "**/*.{jpg,jpeg,jpe,jfif,png,apng,gif,webp,tif,tiff,avif,avifs,heic,heif,hif,mpo,jp2,j2k,jpf,jpx,jpc,j2c}",
    "**/*.{bmp,dib,tga,icb,vda,vst,ppm,pgm,pbm,pnm,pfm,psd,qoi,dds,ico,cur,icns,pcx,dcx,sgi,rgb,rgba,bw,ras,sun}",
    "**/*.{fli,flc,xbm,xpm,msp}",
)
# ^ what the decoders read, whatever the case of the name


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _parse_version(value: Any) -> Any:
    if isinstance(value, bool) or value != 1:
        raise ValueRefused(f"this flatpipe reads version 1, not {shown(value)}")
    return 1


_ONE_K = {"type": "integer", "minimum": 1, "maximum": MAX_K}
_K_TEXT = {"type": "string", "pattern": r"^\s*\d+(\s*(-|\.\.)\s*\d+)?\s*(,\s*\d+(\s*(-|\.\.)\s*\d+)?\s*)*$"}
_K_RANGE = {"type": "object", "properties": {"min": _ONE_K, "max": _ONE_K}, "additionalProperties": False}
_K_LIST = {"type": "array", "items": {"anyOf": [_ONE_K, _K_TEXT]}, "minItems": 1}
_K_SCHEMA = {"anyOf": [_ONE_K, _K_LIST, _K_RANGE, _K_TEXT]}
_ALPHA_SCHEMA = {"anyOf": [{"enum": ["keep"]}, {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}]}
_WORKERS_SCHEMA = {"anyOf": [{"enum": ["auto"]}, {"type": "integer", "minimum": 1, "maximum": 4096}]}
_SHARE = {"type": "string", "pattern": r"^\s*(100(\.0*)?|\d?\d(\.\d+)?)\s*%\s*$"}
_FAILURES_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, _SHARE, {"type": "null"}]}
_SIZE = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([kKmMgGtT][iI]?)?[bB]\s*$"}
_BYTES_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 64 * 2**20}, _SIZE]}
_PATTERNS_SCHEMA = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}

Version = Annotated[Literal[1], BeforeValidator(_parse_version)]
Patterns = Annotated[tuple[StrictStr, ...], BeforeValidator(_as_tuple), WithJsonSchema(_PATTERNS_SCHEMA)]
Ks = Annotated[tuple[int, ...], BeforeValidator(parse_k), WithJsonSchema(_K_SCHEMA)]
Alpha = Annotated[str, BeforeValidator(parse_alpha), WithJsonSchema(_ALPHA_SCHEMA)]
Workers = Annotated[int | Literal["auto"], BeforeValidator(parse_workers), WithJsonSchema(_WORKERS_SCHEMA)]
MaxFailures = Annotated[
    int | float | None,
    BeforeValidator(parse_failures),
    PlainSerializer(shown_share, when_used="json"),
    WithJsonSchema(_FAILURES_SCHEMA),
]
Bytes = Annotated[int, BeforeValidator(parse_bytes), WithJsonSchema(_BYTES_SCHEMA)]


class InputSection(Section):
    """Which images to flatten."""

    path: PathOrUrl
    """Folder of images (searched through), one image file, or a URL such as s3://bucket/photos."""
    include: Patterns = Field(default=IMAGE_PATTERNS, json_schema_extra=allowed("a pattern, or a list of them"))
    """Patterns of files to take: ** crosses folders, {a,b} is either, case does not matter."""
    exclude: Patterns = Field(default=(), json_schema_extra=allowed("a pattern, or a list of them"))
    """Patterns of files to leave out, though include takes them."""
    follow_symlinks: StrictBool = False
    """Whether links may lead out of path, and into other folders."""
    frames: Literal["first", "all"] = "first"
    """Of a file with several frames or pages: first, or all, each as an image of its own."""
    truncated: Literal["fail", "fill"] = "fail"
    """A file that ends too early: fail it, or fill what is missing."""


class OutputSection(Section):
    """Where results go."""

    path: PathOrUrl = "outputs"
    """Folder of results, or a URL; made when missing; it may not overlap the input."""


class FlattenSection(Section):
    """How colours are clustered."""

    k: Ks = Field(
        default=tuple(range(2, 16)),
        json_schema_extra=allowed(f"1..{MAX_K}: a number, a list, {{min: 2, max: 15}}, or a text such as 2-15"),
    )
    """Numbers of colours; each gives one flat image."""
    solver: Solver = "multilevel"
    """multilevel (best and fastest), sklearn (scikit-learn's KMeans), or textbook (plain Lloyd iteration, slow)."""
    seed: StrictInt = Field(default=0, ge=0, le=2**32 - 1)
    """Start of the random numbers; the same seed gives the same bytes."""
    space: Space = "rgb"
    """Colour space in which distance is measured: rgb, or oklab (perceptual)."""
    alpha: Alpha = Field(default="keep", json_schema_extra=allowed('keep, or "#rrggbb" in quotes'))
    """Transparency: keep it, or put images on a background colour such as "#ffffff"."""


class AnimationSection(Section):
    """The sweep that each image gets: k from low to high, then the original."""

    enabled: StrictBool = True
    """Whether to make it."""
    format: Literal["gif", "webp", "apng"] = "gif"
    """gif (opens everywhere; the original in 256 colours), webp or apng (every frame exact)."""
    frame_ms: StrictInt = Field(default=400, ge=20, le=60_000, json_schema_extra=unit("milliseconds"))
    """How long each k is shown."""
    hold_ms: StrictInt = Field(default=1500, ge=20, le=60_000, json_schema_extra=unit("milliseconds"))
    """How long the original at the end is shown."""
    max_side: StrictInt | None = Field(default=1024, ge=16, le=16_383, json_schema_extra=unit("pixels"))
    """Longest side of a frame; null keeps the full size."""


class LimitsSection(Section):
    """What one image, and one worker, may cost."""

    max_pixels: StrictInt = Field(default=200_000_000, ge=1, le=2**40, json_schema_extra=unit("pixels"))
    """Largest image to decode; a larger one becomes a row of failures.csv."""
    seconds_per_image: float | None = Field(
        default=600.0, gt=0, strict=True, allow_inf_nan=False, json_schema_extra=unit("seconds")
    )
    """Longest time that decoding one image may take in a worker process; null sets no limit."""
    memory_per_worker: Bytes | None = Field(
        default=None, json_schema_extra=allowed('a size such as "4 GiB", a number of bytes, or null')
    )
    """Memory of one worker process; null shares out what the machine has."""


class ErrorsSection(Section):
    """How much may go wrong."""

    max_failures: MaxFailures = Field(
        default=None, json_schema_extra=allowed("a number of images, a share such as 5%, or null")
    )
    """Give the run up (exit code 3) when more images fail than this; null never does."""
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
    workers: Workers = Field(default="auto", json_schema_extra=allowed("auto, or 1..4096"))
    """Threads or processes; auto is one per core."""
    granularity: Literal["auto", "pair", "image", "batch"] = "auto"
    """What one Dask task is: pair (image, k), image, or batch (many thumbnails); auto goes by the files' sizes."""
    state_path: LocalPath | None = None
    """Local folder of ledger.sqlite; null is the output folder. Needed when the output is a URL."""
    cluster: ClusterSection | None = None
    """A Dask cluster, instead of scheduler and workers; null for this machine alone."""


class ReportSection(Section):
    """What is made of the results for the eye."""

    enabled: StrictBool = True
    """Whether to write index.html and gallery/."""


class Config(Section):
    """A whole config, every value checked and in place."""

    version: Version = 1
    """Version of this file's format."""
    input: InputSection
    output: OutputSection = OutputSection()
    flatten: FlattenSection = FlattenSection()
    animation: AnimationSection = AnimationSection()
    limits: LimitsSection = LimitsSection()
    errors: ErrorsSection = ErrorsSection()
    execution: ExecutionSection = ExecutionSection()
    report: ReportSection = ReportSection()

    @validates_model(mode="before")
    @classmethod
    def _input_is_asked_for(cls, value: Any) -> Any:
        return {"input": {}, **value} if isinstance(value, dict) else value
        # ^ so that what is missing is input.path, not input

    @validates_model(mode="after")
    def _ledger_has_a_place(self) -> Config:
        if is_url(self.output.path) and self.execution.state_path is None:
            words = "is a URL: execution.state_path must name a local folder for the ledger"
            raise PydanticCustomError("incomplete", words, {"inner": ("output", "path")})
        return self
