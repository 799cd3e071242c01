"""The driver, with Dask's scheduler in it, after many images."""

from __future__ import annotations

import gc
import os
from pathlib import Path

from builders import write_image

from flatpipe import run
from flatpipe.observer import RunObserver
from flatpipe.records import ImageResult, ImageSource

_IMAGES = 400
_LIVE = 160
# ^ images in flight and in the last messages to the workers that Dask keeps


class Census(RunObserver):
    """Counts the images that this process still knows while the last of them is done."""

    def __init__(self) -> None:
        self.done = 0
        self.alive: set[str] = set()

    def image_done(self, result: ImageResult) -> None:
        """Count when most of the run is over."""
        self.done += 1
        if self.done == _IMAGES - 20:
            gc.collect()
            self.alive = {found.image_id for found in gc.get_objects() if type(found) is ImageSource}


def test_images_that_are_done_are_forgotten(tmp_path: Path) -> None:
    """Near the end of a run of 400 images, no more than the last are held; no variable is left behind."""
    for number in range(_IMAGES):
        write_image(tmp_path / "in" / f"{number:03d}.png", seed=number, height=4, width=4)
    text = "input: {path: in}\nflatten: {k: 2}\nanimation: {enabled: false}\nreport: {enabled: false}\n"
    (tmp_path / "pipeline.yaml").write_text(
        text + "execution: {scheduler: processes, workers: 2, granularity: image}\n"
    )
    census = Census()
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_", "PYTHONHASHSEED")}
    summary = run(tmp_path / "pipeline.yaml", observer=census)

    assert summary.done == _IMAGES
    assert {name: os.environ.get(name) for name in before} == before
    assert len(census.alive) <= _LIVE
