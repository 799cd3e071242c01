"""How much work one Dask task is: the pairs of an image each, a whole image, or a handful of small ones.

A task costs the scheduler 0.3 to 3 ms, whatever it does. The (image, k) work inside is the same in every shape: the
same records, the same bytes, the same failure rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flatpipe.records import PlannedImage
from flatpipe.vocabulary import Granularity, TaskShape

SMALL_BYTES = 900_000
# ^ files below this flatten in a few milliseconds a k (8 at 768x512), too little for a task of their own
_TINY_BYTES = 24 << 10
# ^ files below this are done in tens of milliseconds as a whole
_BATCH_BYTES = 256 << 10
_BATCH_IMAGES = 16
# ^ a batch ends at either; about a second of work


@dataclass(frozen=True, slots=True)
class Bundle:
    """Images that are submitted together: one with a task per k, or some in one task."""

    images: tuple[PlannedImage, ...]
    one_task: bool


def bundles(work: Iterable[PlannedImage], granularity: Granularity) -> Iterator[Bundle]:
    """The work in tasks of a fitting size, in order, as a stream; `auto` goes by the size of the files."""
    batch: list[PlannedImage] = []
    for image in work:
        shape = _shape(image) if granularity == "auto" else granularity
        if shape != "batch":
            yield Bundle((image,), one_task=shape == "image")
            continue
        batch.append(image)
        if len(batch) >= _BATCH_IMAGES or sum(one.source.size for one in batch) >= _BATCH_BYTES:
            yield Bundle(tuple(batch), one_task=True)
            batch = []
    if batch:
        yield Bundle(tuple(batch), one_task=True)


def _shape(image: PlannedImage) -> TaskShape:
    size = image.source.size
    return "batch" if size < _TINY_BYTES else "image" if size < SMALL_BYTES else "pair"
