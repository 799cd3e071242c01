"""What is made of the flat images: files of results, the animation, the report."""

from __future__ import annotations

from typing import get_args

from pydantic import Field, StrictBool, StrictInt
from pydantic import model_validator as validates_model
from pydantic_core import PydanticCustomError

from flatpipe.config.kinds import Metrics, PaletteFormats
from flatpipe.config.section import OutputPlace, Section, unit, words, words_of
from flatpipe.quantize.options import FreeMetric, Metric
from flatpipe.vocabulary import SHORTEST_MS, AnimationFormat, Flats, Layout, PaletteFormat


class OutputSection(Section):
    """Where results go."""

    path: OutputPlace = Field(default="outputs", validate_default=True, json_schema_extra=words("a path or a URL"))
    """Folder of results, or a URL; made when missing; may not overlap the input."""
    layout: Layout = "tree"
    """tree (a folder for each image), or shards (tar files with the outputs of many, as WebDataset reads them)."""
    shard_size: StrictInt = Field(default=1000, ge=1, le=1_000_000, json_schema_extra=unit("images"))
    """How many images a shard holds: a thousand thumbnails make 100 MB, photographs gigabytes."""
    flats: Flats = "all"
    """Flat images to write: all, best (of the suggested k alone), none (colours and tables only, in half the time)."""
    palettes: PaletteFormats = Field(default=(), json_schema_extra=words_of(PaletteFormat))
    """Palette files to write beside each flat image and shared palette, for GIMP, Adobe programs, CSS, tables."""
    metrics: Metrics = Field(default=get_args(FreeMetric), json_schema_extra=words_of(Metric))
    """Measures in results.csv: mse and psnr always; ssim, ciede2000 and own_mse (of a palette of its own) take time."""
    features: StrictBool = False
    """Whether to write features.parquet: every palette as a row of a table; needs pip install 'flatpipe[parquet]'."""


class AnimationSection(Section):
    """The sweep that each image gets: k from low to high, then the original."""

    enabled: StrictBool = True
    """Whether to make it."""
    format: AnimationFormat = "gif"
    """gif (opens everywhere; the original in 256 colours), webp, apng (every frame exact), mp4, webm (lossy)."""
    frame_ms: StrictInt = Field(default=400, ge=SHORTEST_MS, le=60_000, json_schema_extra=unit("milliseconds"))
    """How long each k is shown."""
    hold_ms: StrictInt = Field(default=1500, ge=SHORTEST_MS, le=60_000, json_schema_extra=unit("milliseconds"))
    """How long the original at the end is shown."""
    max_side: StrictInt | None = Field(default=1024, ge=16, le=16_383, json_schema_extra=unit("pixels"))
    """Longest side of a frame; null: full size."""
    captions: StrictBool = False
    """Whether each frame says its k, or that it is the original, in a corner, in two of its colours."""
    fade: StrictInt = Field(default=0, ge=0, le=19, json_schema_extra=unit("frames"))
    """Frames that lead from each k to what comes next, within frame_ms; 2 end the flicker in three times the bytes."""

    @validates_model(mode="after")
    def _fade_has_time(self) -> AnimationSection:
        if self.frame_ms < SHORTEST_MS * (self.fade + 1):
            message = f"{self.fade} frames and the k itself, {SHORTEST_MS} ms each, do not fit into frame_ms"
            raise PydanticCustomError("incomplete", message, {"inner": ("fade",)})
        return self


class ReportSection(Section):
    """What is made of the results for the eye."""

    enabled: StrictBool = True
    """Whether to write index.html and gallery/."""
    stills: StrictBool = False
    """Whether to write contact_sheet.png and colorspace.png for each image too; a tenth more time."""
