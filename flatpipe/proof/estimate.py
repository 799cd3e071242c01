"""A few images done in memory, to say how long a run takes and how much it writes."""

from __future__ import annotations

import hashlib
import heapq
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from flatpipe.config import Config
from flatpipe.plan.backend import choose_backend
from flatpipe.proof.scratch import done_in_memory
from flatpipe.records import PlannedImage, TaskSettings
from flatpipe.work.kernels import load_kernels

SAMPLE = 5
# ^ images


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the sample says of the whole."""

    sampled: int
    workers: int
    seconds: float
    bytes_to_write: int


def draw(images: Iterable[PlannedImage]) -> list[PlannedImage]:
    """A few images to be made, the same ones each time: those whose ids have the smallest digests."""
    due = (image for image in images if not image.is_current)
    return heapq.nsmallest(SAMPLE, due, key=lambda image: hashlib.sha256(os.fsencode(image.source.image_id)).digest())


def estimate(
    sample: list[PlannedImage], config: Config, settings: TaskSettings, due_bytes: int, images: int
) -> Estimate | None:
    """Time and bytes of the whole run, in proportion to file sizes; None when no image of the sample can be done."""
    load_kernels()
    read = written = done = 0
    seconds = 0.0
    for image in sample:
        began = time.perf_counter()
        with done_in_memory(image.source, image.ks or config.flatten.ks, settings) as made:
            if made.result.failure is None:
                seconds += time.perf_counter() - began
                read, written, done = read + image.source.size, written + made.size, done + 1
    if not read:
        return None
    whole = due_bytes / read
    workers = max(1, choose_backend(config, seconds * whole, images * len(config.flatten.ks)).workers)
    return Estimate(done, workers, seconds * whole / workers, int(written * whole))
