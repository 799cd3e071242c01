"""Ledgers with images in them, for tests that ask what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from flatpipe.ledger.ledger import Ledger
from flatpipe.records import (
    FlattenResult,
    ImageResult,
    ImageSource,
    LoadToken,
    PlannedImage,
    SettingsDigests,
    SweepResult,
)
from flatpipe.work.recorded import recorded

DIGESTS = SettingsDigests(((2, "flat"),), "sweep")


def planned(image_id: str) -> PlannedImage:
    """An image of a plan, with all to do."""
    return PlannedImage(_source(image_id), (2,), sweep=True, reason="new")


def record_images(ledger: Ledger | Path, image_ids: Sequence[str]) -> None:
    """Record images as done, in a ledger that is open or in the file of one; one by one, as a run may."""
    if isinstance(ledger, Path):
        with closing(Ledger(str(ledger))) as opened:
            opened.begin_run(f"run-{image_ids[0]}", "now", "{}")
            opened.store_plan(map(planned, image_ids))
            record_images(opened, image_ids)
            opened.commit()
        return
    for image_id in image_ids:
        flat = FlattenResult(image_id, 2, 2, 1.5, ("#000000",), (9,), 7, "ab" * 32)
        sweep = SweepResult(image_id, 1, "ab", 2, "cd", (("sweep.gif", "ab"),))
        result = ImageResult(_source(image_id), LoadToken(image_id, "content", 3, 2, 5), (flat,), sweep)
        ledger.record([recorded(result, DIGESTS)], "run")


def _source(image_id: str) -> ImageSource:
    return ImageSource(image_id, f"/photos/{image_id}", 1, "stamp")
