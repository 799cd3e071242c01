"""A flat image as the record of its task."""

from __future__ import annotations

import hashlib
import time

from flatpipe.quantize.palette_image import FlattenedImage
from flatpipe.quantize.quality import measured
from flatpipe.records import FlattenResult, TaskSettings
from flatpipe.work.loaded import LoadedImage


def flatten_result(
    image: LoadedImage, k: int, flat: FlattenedImage, content: bytes, settings: TaskSettings, began: float
) -> FlattenResult:
    """The record of a flat image whose file holds `content`, with the measures that the settings ask for.

    `began` is when the task did, in seconds of time.perf_counter.
    """
    metrics = measured(settings.metrics, image.indexed, flat, image.alpha)
    return FlattenResult(
        image_id=image.token.image_id,
        k=k,
        n_colors=flat.n_colors,
        mse=float(flat.mse),
        palette=flat.hex_colors,
        weights=tuple(flat.weights.tolist()),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        seconds=time.perf_counter() - began,
        metrics=metrics,
    )
