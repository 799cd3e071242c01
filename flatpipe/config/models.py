"""The config as frozen models: every key with its meaning, unit, range and default, in one place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import Field, PrivateAttr, StrictInt
from pydantic import model_validator as validates_model
from pydantic_core import PydanticCustomError

from flatpipe.config.kinds import (
    Alpha,
    Bytes,
    Ks,
    MaxFailures,
    Target,
    Version,
    Workers,
)
from flatpipe.config.problems import KeyPath, Origin, Places
from flatpipe.config.recording import recorded
from flatpipe.config.section import LocalPath, Section, unit, words
from flatpipe.config.sections.cluster import ClusterSection
from flatpipe.config.sections.input import InputSection
from flatpipe.config.sections.palette import PaletteSection
from flatpipe.config.sections.results import AnimationSection, OutputSection, ReportSection
from flatpipe.config.values import ALL, MOST_WORKERS
from flatpipe.errors import ConfigError
from flatpipe.places import is_url
from flatpipe.quantize.options import MAX_K, Dither, Solver, Space
from flatpipe.vocabulary import (
    Granularity,
    Scheduler,
)

Value = TypeVar("Value")


class AutoSection(Section):
    """Which k is chosen when k is auto: every k from 2 to max is made, and the chosen one is also best.png."""

    max: StrictInt = Field(default=15, ge=2, le=MAX_K)
    """The largest k that is tried."""
    target: Target = Field(default="knee", json_schema_extra=words("knee, or psnr>=N with a number of dB"))
    """knee (more colours bring less from there on), or the quality to reach, such as psnr>=30."""


class FlattenSection(Section):
    """How colours are clustered."""

    k: Ks = Field(
        default=tuple(range(2, 16)),
        json_schema_extra=words(
            f"1..{MAX_K}: a number, a list, {{min: 2, max: 15}}, a text such as 2-15, auto, or all",
            written="{min: 2, max: 15}",
            limits=f"1..{MAX_K}",
        ),
    )
    """Numbers of colours: a number, a list, {min, max}, a text (2-15), auto, or all (the whole palette.from)."""
    auto: AutoSection = AutoSection()
    solver: Solver = "multilevel"
    """multilevel (best, fastest), sklearn (scikit-learn's KMeans), textbook (plain, slow)."""
    seed: StrictInt = Field(default=0, ge=0, le=2**32 - 1)
    """Start of the random numbers; the same seed gives the same bytes."""
    space: Space = "rgb"
    """Colour space in which distance is measured: rgb, or oklab (perceptual)."""
    dither: Dither = "none"
    """Missing colours as mixtures of those there: none, floyd-steinberg (finest), blue-noise (does not crawl)."""
    alpha: Alpha = Field(default="keep", json_schema_extra=words('keep, or "#rrggbb" in quotes'))
    """Transparency: keep, or the background colour to put images on, such as "#ffffff"."""

    @property
    def target(self) -> str:
        """By what the best k is chosen when k is auto: "knee" or "psnr>=30"; "" when it is not."""
        if not isinstance(self.k, str) or self.k == ALL:
            return ""
        return self.k.partition(":")[2] or self.auto.target


class LimitsSection(Section):
    """What one image, and one worker, may cost."""

    max_pixels: StrictInt = Field(default=200_000_000, ge=1, json_schema_extra=unit("pixels", written="200_000_000"))
    """Largest image to decode; a larger one is a row of failures.csv."""
    seconds_per_image: float | None = Field(
        default=600.0, gt=0, strict=True, allow_inf_nan=False, json_schema_extra=unit("seconds")
    )
    """Longest reading and decoding of one image; null: no limit."""
    stall_seconds: float | None = Field(
        default=300.0, gt=0, strict=True, allow_inf_nan=False, json_schema_extra=unit("seconds")
    )
    """Without any result, until the run writes down where everything stands; null: never."""
    memory_per_worker: Bytes | None = Field(
        default=None, json_schema_extra=words('a size such as "4 GiB", a number of bytes, or null')
    )
    """Memory of a worker process, such as "4 GiB"; null: its share of the machine."""


class ErrorsSection(Section):
    """How much may go wrong."""

    max_failures: MaxFailures = Field(
        default=None, json_schema_extra=words("a number of images, a share such as 5%, or null")
    )
    """Give up (exit code 3) when more images fail: a number, a share (5%), null: never."""
    retries: StrictInt = Field(default=1, ge=0, le=10)
    """How often a read or write that failed for a passing reason is tried again."""

    def allowed_failures(self, images: int) -> int | None:
        """How many of so many images may fail before the run is given up; None: all of them."""
        if isinstance(self.max_failures, float):
            return int(self.max_failures * images)
        return self.max_failures


class ExecutionSection(Section):
    """What carries the run."""

    scheduler: Scheduler = "auto"
    """auto, synchronous (one core), threads, or processes (a Dask LocalCluster)."""
    workers: Workers = Field(
        default="auto", json_schema_extra=words(f"auto, or 1..{MOST_WORKERS}", limits=f"1..{MOST_WORKERS}")
    )
    """Number of threads or processes; auto: one per core."""
    granularity: Granularity = "auto"
    """What one Dask task is: pair (image, k), image, batch (of thumbnails); auto: by size."""
    state_path: LocalPath | None = Field(default=None, json_schema_extra=words("a local path or null"))
    """Local folder of ledger.sqlite; null: the output folder, unless that is a URL."""
    cluster: ClusterSection | None = None
    """A Dask cluster, instead of scheduler and workers; null: this machine alone."""


class Config(Section):
    """A whole config, every value checked and in place."""

    version: Version = 1
    """Version of this file's format."""
    input: InputSection
    output: OutputSection = OutputSection()
    flatten: FlattenSection = FlattenSection()
    palette: PaletteSection = PaletteSection()
    animation: AnimationSection = AnimationSection()
    limits: LimitsSection = LimitsSection()
    errors: ErrorsSection = ErrorsSection()
    execution: ExecutionSection = ExecutionSection()
    report: ReportSection = ReportSection()

    _written: dict[KeyPath, str] = PrivateAttr(default_factory=dict)
    # ^ values with environment variables as they stand in the file
    _places: Places = PrivateAttr(default_factory=Places)
    _found: dict[str, Any] = PrivateAttr(default_factory=dict)
    # ^ what was found out for the config, by name

    def remember(self, origins: dict[KeyPath, Origin]) -> None:
        """Keep where values stand, and how those with environment variables were written."""
        self._places = Places(origins)
        self._written = {path: origin.written for path, origin in origins.items() if origin.written}

    def refused(self, path: KeyPath, message: str) -> ConfigError:
        """What to raise when a value turns out not to serve: the message, at the place where the value stands."""
        return self._places.refusal(path, message)

    def once(self, name: str, find: Callable[[], Value]) -> Value:
        """What `find` gives when it is first asked for under this name: a file that the config names is read once."""
        if name not in self._found:
            self._found[name] = find()
        found: Value = self._found[name]
        return found

    def recorded(self) -> dict[str, Any]:
        """The whole config as plain values, as a run keeps it: without the secrets of the cluster's section."""
        return recorded(self.model_dump(mode="json"), self._written)

    @property
    def has_report(self) -> bool:
        """Whether a run writes index.html and gallery/: asked for, or not told, and there is what they show."""
        return self.report.enabled and not self.why_no_report

    @property
    def why_no_report(self) -> str:
        """Why the outputs that are asked for have no gallery, in words; "" where they can have one."""
        if self.output.flats != "all":
            return f"a gallery shows every flat image, and output.flats is {self.output.flats}"
        if self.output.layout != "tree":
            return f"a gallery links to files in folders, and output.layout is {self.output.layout}"
        return ""

    def as_json(self) -> str:
        """The same as JSON, in ASCII: a path that is not valid UTF-8 keeps its bytes."""
        return json.dumps(self.recorded())

    @validates_model(mode="before")
    @classmethod
    def _places_are_asked_for(cls, value: Any) -> Any:
        return {"input": {}, "output": {}, **value} if isinstance(value, dict) else value
        # ^ so that what is missing is input.path, not input; and so that output.path's default becomes absolute

    @validates_model(mode="after")
    def _ledger_has_a_place(self) -> Config:
        if is_url(self.output.path) and self.execution.state_path is None:
            message = "is a URL: execution.state_path must name a local folder for the ledger"
            raise PydanticCustomError("incomplete", message, {"inner": ("output", "path")})
        return self
