"""A few images done in memory, to say how long a run takes and how much it writes."""

from __future__ import annotations

import hashlib
import heapq
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flatpipe.config import Config
from flatpipe.places import is_url
from flatpipe.plan.backend import choose_backend, seconds_with
from flatpipe.plan.palettes.colors import ks_of
from flatpipe.proof.scratch import done_in_memory
from flatpipe.records import PlannedImage
from flatpipe.settings import TaskSettings
from flatpipe.work.kernels import load_kernels

SAMPLE = 16
# ^ images at most
_LONGEST_SECONDS, _LEAST = 10.0, 4
# ^ of measuring, once so many images are done: of photographs of 16 megapixels a few are enough
_START_SECONDS, _END_SECONDS_PER_IMAGE = 0.5, 0.002
# ^ of a run: until the first image is begun by threads; tables, report and ledger at its end
_BESIDE_BYTES, _BESIDE_ALL = 18_000, 230_000
# ^ for each image, of ledger, tables, log and the report's data, with 14 k; and of the report and an empty ledger
_USUAL_KS = 14
LIKE_THESE = 100_000
# ^ images for which the same is told


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the sample says of the whole."""

    sampled: int
    workers: int
    seconds: float
    bytes_to_write: int
    free_bytes: int | None
    # ^ on the output's disk; None for a URL
    seconds_like_these: float
    # ^ and bytes: of a hundred thousand images such as the due ones, on this machine
    bytes_like_these: int


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
        if done >= _LEAST and seconds > _LONGEST_SECONDS:
            break
        began = time.perf_counter()
        with done_in_memory(image.source, image.ks or ks_of(config), settings) as made:
            if made.result.failure is None:
                seconds += time.perf_counter() - began
                read, written, done = read + image.source.size, written + made.size, done + 1
    if not done or not images:
        return None
    whole = due_bytes / read if read else images / done
    # ^ of what web servers give, no size is known
    one = whole / images
    # ^ share of the sample that an image of mean size is
    beside = _BESIDE_BYTES * len(ks_of(config)) // _USUAL_KS
    workers, wall = _wall_seconds(config, seconds * whole, images)
    return Estimate(
        sampled=done,
        workers=workers,
        seconds=wall,
        bytes_to_write=int(written * whole) + _BESIDE_ALL + beside * images,
        free_bytes=_free_bytes(settings.output),
        seconds_like_these=_wall_seconds(config, seconds * one * LIKE_THESE, LIKE_THESE)[1],
        bytes_like_these=int((written * one + beside) * LIKE_THESE),
    )


def _wall_seconds(config: Config, seconds: float, images: int) -> tuple[int, float]:
    """How many workers share so many seconds of work, and how long it takes them, start and end included."""
    backend = choose_backend(config, seconds, images * len(ks_of(config)))
    return max(1, backend.workers), (_START_SECONDS + seconds_with(backend, seconds) + _END_SECONDS_PER_IMAGE * images)


def _free_bytes(output: str) -> int | None:
    if is_url(output):
        return None
    place = Path(output)
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
