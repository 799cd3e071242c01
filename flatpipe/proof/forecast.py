"""What a planned run is going to cost: bytes, memory, the largest images."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from flatpipe.ledger.answers import OutputRatios
from flatpipe.ledger.ledger import Ledger
from flatpipe.records import ImageSource, PlannedImage
from flatpipe.settings import TaskSettings
from flatpipe.work.memory import BASE_BYTES, memory_needed

_LARGEST = 3


@dataclass(frozen=True, slots=True)
class LargeImage:
    """One of the largest images by file size."""

    image_id: str
    size: int
    # ^ bytes of the file
    pixels: int | None
    memory: int | None
    # ^ bytes that a worker needs for it, itself included; None when the header cannot be read


@dataclass(frozen=True, slots=True)
class Forecast:
    """What lies ahead."""

    bytes_to_write: int | None
    # ^ by what earlier outputs weigh; None when there are none
    bytes_read: int
    memory_per_worker: int | None
    largest: tuple[LargeImage, ...]


@dataclass(slots=True)
class DueWork:
    """What is to be done, summed up while the plan streams by."""

    flat_bytes: int = 0
    # ^ file size of each image times its flats to make
    sweep_bytes: int = 0
    due_bytes: int = 0
    _largest: list[tuple[int, str, ImageSource]] = field(default_factory=list)

    def add(self, image: PlannedImage) -> None:
        """Take note of one image."""
        if image.is_current:
            return
        source = image.source
        self.flat_bytes += source.size * len(image.ks)
        self.sweep_bytes += source.size * image.sweep
        self.due_bytes += source.size
        entry = (source.size, source.image_id, source)
        (heapq.heappush if len(self._largest) < _LARGEST else heapq.heappushpop)(self._largest, entry)

    @property
    def largest(self) -> list[ImageSource]:
        """The images whose files are the largest, the largest first."""
        return [source for _, _, source in sorted(self._largest, reverse=True)]


def forecast(due: DueWork, ledger: Ledger, settings: TaskSettings) -> Forecast:
    """What the due work is going to cost; reads the headers of the largest images."""
    largest = tuple(_measured(source, settings) for source in due.largest)
    return Forecast(
        bytes_to_write=_bytes_to_write(due, ledger.output_ratios()),
        bytes_read=due.due_bytes,
        memory_per_worker=max((image.memory for image in largest if image.memory), default=None),
        largest=largest,
    )


def _bytes_to_write(due: DueWork, ratios: OutputRatios) -> int | None:
    if ratios.flat is None or ratios.sweep is None:
        return None
    return int(ratios.flat * due.flat_bytes + ratios.sweep * due.sweep_bytes)


def _measured(source: ImageSource, settings: TaskSettings) -> LargeImage:
    need = memory_needed(source, settings)
    if need is None:
        return LargeImage(source.image_id, source.size, None, None)
    return LargeImage(source.image_id, source.size, need.pixels, need.bytes + BASE_BYTES)
