"""An image's tasks done in memory: as a run does them, and nothing is written."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flatpipe.layout import image_folder
from flatpipe.records import ImageResult, ImageSource, PlannedImage
from flatpipe.settings import TaskSettings
from flatpipe.storage.remote import RemoteRoot
from flatpipe.work.tasks import whole_image


@dataclass(frozen=True, slots=True)
class Scratch:
    """What one image came to, while its files are in memory."""

    result: ImageResult
    root: RemoteRoot

    @property
    def size(self) -> int:
        """Bytes of all its files together."""
        return sum(size for _, size, _ in self.root.listing())

    def file(self, name: str) -> bytes:
        """All bytes of a file in the image's folder; raises OSError."""
        return self.root.read(f"{image_folder(self.result.source.image_id)}/{name}")


@contextlib.contextmanager
def done_in_memory(source: ImageSource, ks: tuple[int, ...], settings: TaskSettings) -> Iterator[Scratch]:
    """All that one image comes to, and its files as long as the context lasts."""
    place = f"memory://flatpipe-{uuid.uuid4().hex}"
    root = RemoteRoot(place)
    try:
        planned = PlannedImage(source, ks, sweep=True, reason="in memory")
        yield Scratch(whole_image(planned, (), replace(settings, output=place)), root)
    finally:
        if root.filesystem.exists(place):
            root.filesystem.rm(place, recursive=True)
