"""Bundles -> records of images as they finish: a sliding window, suspects tried again alone, interrupts obeyed.

One loop serves every scheduler; what differs is behind `Engine`. Submission, collection and recording go in batches:
all free places of the window at once, all that has finished at once. Memory stays flat however long the run is, because
only the window is in flight and each record is let go as soon as it is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from dask.delayed import Delayed

from flatpipe.engines.bundle import Bundle, Bundler
from flatpipe.engines.engine import Engine, WorkersLost
from flatpipe.errors import FlatpipeError, RunGivenUp, WorkerDied
from flatpipe.records import Failure, ImageRecord, ImageResult, ImageSource, LoadToken, PlannedImage, SettingsDigests
from flatpipe.stop import StopRequest
from flatpipe.work.recorded import recorded

BuildGraph = Callable[[Bundle, int], Delayed]
# ^ of a bundle and the number of times it was tried before; computing it gives a tuple of ImageRecords

_POLL_SECONDS = 0.25
# ^ how soon a stop is noticed while nothing finishes

_DEATHS_AMONG_OTHERS = 2
_DEATHS_ALONE = 2
# ^ more than one each, so that a machine taken away at a bad moment is not held against the image


@dataclass(slots=True)
class _Loop:
    bundler: Bundler
    engine: Engine
    build: BuildGraph
    stop: StopRequest
    in_flight: int = 0
    deaths: Counter[str] = field(default_factory=Counter)
    # ^ how often a worker died that had the image, by image_id
    again: list[Bundle] = field(default_factory=list)
    # ^ single images to try once more among the others
    suspects: list[Bundle] = field(default_factory=list)
    # ^ images that were there at two deaths: perhaps a neighbour's fault, so they are tried with no neighbours


def execute(bundler: Bundler, engine: Engine, build: BuildGraph, stop: StopRequest) -> Iterator[list[ImageRecord]]:
    """Records as images finish, in any order, some at a time; raises RunGivenUp when the engine is lost.

    After a stop, an image cut short yields what it has, with a failure whose error is INTERRUPTED. An image whose
    worker dies is tried once more among the others, then alone; if it ends its worker twice when alone, it is named.
    """
    loop = _Loop(bundler, engine, build, stop)
    while True:
        if stop:
            engine.stop()
        else:
            _submit(loop)
        if not loop.in_flight:
            return
        if records := _collect(loop):
            yield records


def _submit(loop: _Loop) -> None:
    """Fill the free places; when all else is done, with one suspect."""
    bundles = [bundle for _ in range(loop.engine.places) if (bundle := _next(loop)) is not None]
    if not bundles and not loop.in_flight and loop.suspects:
        bundles = [loop.suspects.pop()]
    if bundles:
        loop.engine.submit([(bundle, loop.build(bundle, _attempts(loop, bundle))) for bundle in bundles])
        loop.in_flight += len(bundles)


def _next(loop: _Loop) -> Bundle | None:
    return loop.again.pop() if loop.again else loop.bundler.next(loop.engine.workers)


def _attempts(loop: _Loop, bundle: Bundle) -> int:
    return loop.deaths[bundle.images[0].source.image_id]


def _collect(loop: _Loop) -> list[ImageRecord]:
    records: list[ImageRecord] = []
    for done in loop.engine.finished(_POLL_SECONDS):
        loop.in_flight -= 1
        assert isinstance(done.job, Bundle)
        if isinstance(done.error, WorkersLost):
            records += [named for image in done.job.images if (named := _accuse(loop, image)) is not None]
        elif done.error is None:
            _learn(loop.bundler, done.job, done.results)
            records += done.results
        elif not loop.stop:
            raise done.error if isinstance(done.error, FlatpipeError) else RunGivenUp(str(done.error)) from done.error
    return records


def _learn(bundler: Bundler, bundle: Bundle, records: Sequence[ImageRecord]) -> None:
    seconds = {record.source.image_id: record.seconds for record in records if record.failure is None}
    for image in bundle.images:
        if image.source.image_id in seconds:
            bundler.costs.learn(image, seconds[image.source.image_id])


def _accuse(loop: _Loop, image: PlannedImage) -> ImageRecord | None:
    """Have the image tried again, or name it when it has ended its worker often enough."""
    loop.deaths[image.source.image_id] += 1
    deaths = loop.deaths[image.source.image_id]
    if deaths >= _DEATHS_AMONG_OTHERS + _DEATHS_ALONE:
        return worker_died(image)
    (loop.again if deaths < _DEATHS_AMONG_OTHERS else loop.suspects).append(Bundle((image,), one_task=True))
    return None


def worker_died(image: PlannedImage) -> ImageRecord:
    """The outcome of an image that ended its worker process each time it was tried."""
    message = (
        "the worker process ended each time it worked on this image: "
        "its decoder crashed, ran out of memory, or exceeded limits.seconds_per_image"
    )
    return failed_record(image.source, Failure("worker", WorkerDied.error, message))


def failed_record(source: ImageSource, failure: Failure) -> ImageRecord:
    """The record of an image of which nothing is known but why it failed."""
    return recorded(ImageResult(source, LoadToken(source.image_id), failure=failure), SettingsDigests((), ""))
