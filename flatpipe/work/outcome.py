"""A flat image as the record of its task."""

from __future__ import annotations

import hashlib
import time

from flatpipe.quantize.flatten import FlatImage
from flatpipe.quantize.quality import measured
from flatpipe.records import FlattenResult, TaskSettings
from flatpipe.work.loaded import LoadedImage


def flatten_result(
    image: LoadedImage, k: int, flat: FlatImage, content: bytes, settings: TaskSettings, began: float
) -> FlattenResult:
    """The record of a flat image whose file holds `content`, with the measures that the settings ask for.

    `began` is when the task did, in seconds of time.perf_counter.
    """
    metrics = measured(settings.metrics, image.indexed, flat, image.alpha)
    return FlattenResult(
        image_id=image.token.image_id,
        k=k,
        n_colors=len(flat.palette),
        mse=float(flat.mse),
        palette=tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in flat.palette.tolist()),
        weights=tuple(flat.weights.tolist()),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        seconds=time.perf_counter() - began,
        metrics=metrics,
    )
