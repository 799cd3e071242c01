"""An image's tasks done in memory: as a run does them, and nothing is written."""

from __future__ import annotations

import uuid
from dataclasses import replace

from flatpipe.records import ImageResult, ImageSource, PlannedImage, TaskSettings
from flatpipe.storage.remote import RemoteRoot
from flatpipe.work.tasks import whole_image


def done_in_memory(source: ImageSource, ks: tuple[int, ...], settings: TaskSettings) -> tuple[ImageResult, int]:
    """All that one image comes to, and the bytes of all its files together."""
    place = f"memory://flatpipe-{uuid.uuid4().hex}"
    try:
        planned = PlannedImage(source, ks, sweep=True, reason="in memory")
        result = whole_image(planned, (), replace(settings, output=place))
        return result, sum(size for _, size, _ in RemoteRoot(place).listing())
    finally:
        filesystem = RemoteRoot(place).filesystem
        if filesystem.exists(place):
            filesystem.rm(place, recursive=True)
