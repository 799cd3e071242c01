"""A sample of images done once more, in memory, and compared with the ledger byte for byte."""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from flatpipe.places import ReadPolicy, is_url
from flatpipe.proof.outputs import Difference, RecordedImage
from flatpipe.proof.scratch import done_in_memory
from flatpipe.proof.verify import Inputs, Verified
from flatpipe.records import ImageResult, ImageSource
from flatpipe.settings import TaskSettings
from flatpipe.stop import WORK_THREADS
from flatpipe.storage.discover import local_source


def sample(images: Iterable[RecordedImage], number: int, seed: int, without: Collection[str]) -> list[RecordedImage]:
    """So many complete images, drawn by the digest of seed and image id: the same ones each time, in any order."""

    def place(image: RecordedImage) -> bytes:
        return hashlib.sha256(f"{seed} ".encode() + os.fsencode(image.source.image_id)).digest()

    complete = (image for image in images if image.is_complete and image.source.image_id not in without)
    return heapq.nsmallest(number, complete, key=place)


def recompute(
    images: list[RecordedImage], settings_for: Callable[[str], TaskSettings], counts: Verified, jobs: int
) -> Iterator[Difference]:
    """Outputs that come out otherwise than recorded, and images that fail now; nothing is written to the output.

    `settings_for` gives the settings of an image by its id.
    """

    def again(image: RecordedImage, settings: TaskSettings) -> ImageResult:
        with done_in_memory(_dated(inputs.source_now(image)), image.ks, settings) as done:
            return done.result

    every_settings = [settings_for(image.source.image_id) for image in images]
    inputs = Inputs(next((settings.reading for settings in every_settings), ReadPolicy()))
    with _threads(jobs) as pool:
        for image, result in zip(images, pool.map(again, images, every_settings), strict=True):
            if result.failure is not None:
                yield Difference(
                    image.source.image_id, "not recomputed", image.source.path, detail=result.failure.message
                )
                continue
            counts.recomputed += 1
            digests = _digests(result)
            for file in image.files:
                if digests.get(file.own if file.k is None else file.k) != file.sha256:
                    yield Difference(image.source.image_id, "recomputed otherwise", file.name, file.k)


def _dated(source: ImageSource) -> ImageSource:
    """The source with its archive's date as it is now: what it holds was compared."""
    if source.part and not is_url(source.path):
        with contextlib.suppress(OSError):
            return replace(source, stamp=local_source(source.path).stamp)
    return source


@contextlib.contextmanager
def _threads(jobs: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that are waited for at the end, unless it is Ctrl-C: then what they are at is left."""
    pool = ThreadPoolExecutor(jobs, thread_name_prefix=f"{WORK_THREADS}recompute")
    try:
        yield pool
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _digests(result: ImageResult) -> dict[int | str, str]:
    """sha256 of each output, by k or by the name that its task gave."""
    flats: dict[int | str, str] = {flat.k: flat.sha256 for flat in result.flats}
    files = () if result.sweep is None else result.sweep.files
    return flats | dict(files)
