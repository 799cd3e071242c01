"""What became of a task, as its record: a flat image, or why there is none."""

from __future__ import annotations

import hashlib
import time
from functools import partial

from flatpipe.errors import ImageError, ImageIOFailed, ImageTooLarge
from flatpipe.quantize.flatten import mse_of_own
from flatpipe.quantize.palette_image import FlatColors, PaletteImage
from flatpipe.quantize.quality import measured
from flatpipe.records import INTERRUPTED, Failure, FlattenResult
from flatpipe.settings import TaskSettings
from flatpipe.vocabulary import Stage
from flatpipe.work.loaded import LoadedImage
from flatpipe.work.outputs import OutputFailed
from flatpipe.work.watchdog import Interrupted

_INTERRUPTED = Failure("worker", INTERRUPTED, "the run was stopped before this was done")


def flatten_result(
    image: LoadedImage,
    k: int,
    colors: FlatColors,
    flat: PaletteImage | None,
    content: bytes,
    settings: TaskSettings,
    began: float,
) -> FlattenResult:
    """The record of a flat image whose file holds `content` (b"": it has none), with the measures that are asked for.

    `flat` are its pixels, None where nothing needs them; `began` is when the task did, in seconds of time.perf_counter.
    """
    own_mse = partial(mse_of_own, image.indexed, k, settings.flatten)
    metrics = measured(settings.metrics, image.indexed, flat, image.alpha, own_mse)
    return FlattenResult(
        image_id=image.token.image_id,
        k=k,
        n_colors=colors.n_colors,
        mse=float(colors.mse),
        palette=colors.hex_colors,
        weights=tuple(colors.weights.tolist()),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest() if content else "",
        seconds=time.perf_counter() - began,
        metrics=metrics,
    )


def failure_of(stage: Stage, error: Exception) -> Failure:
    """Why a task has no result: whatever a file, the output or a stop does to it."""
    if isinstance(error, Interrupted):
        return _INTERRUPTED
    if isinstance(error, ImageError):
        return Failure(stage, error.error, str(error), fatal=isinstance(error, OutputFailed))
    if isinstance(error, MemoryError):
        return Failure(stage, ImageTooLarge.error, "not enough memory on this worker")
    if isinstance(error, OSError):
        return Failure(stage, ImageIOFailed.error, error.strerror or str(error) or type(error).__name__)
    return Failure(stage, ImageError.error, f"{type(error).__name__}: {error}")
