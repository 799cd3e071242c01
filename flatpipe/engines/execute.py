"""Bundles -> records of images as they finish: a sliding window, suspects tried again alone, interrupts obeyed.

One loop serves every scheduler; what differs is behind `Engine`. Submission, collection and recording go in batches:
all free places of the window at once, all that has finished at once. Memory stays flat however long the run is, because
only the window is in flight and each record is let go as soon as it is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from dask.delayed import Delayed

from flatpipe.engines.bundle import Bundle, Bundler
from flatpipe.engines.engine import Engine, Finished, Job, Submission, WorkersLost
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


class Companion(Protocol):
    """Work beside the images, which becomes due as they are done: shards are packed."""

    def next(self) -> Submission | None:
        """A job that is to be done now; None while there is none."""
        ...

    def take(self, job: Job, results: tuple[Any, ...] | None) -> None:
        """What a job came to; None where its worker died. Raises RunGivenUp."""
        ...


class _Alone:
    """No such work."""

    def next(self) -> Submission | None:
        return None

    def take(self, job: Job, results: tuple[Any, ...] | None) -> None:
        raise NotImplementedError


@dataclass(slots=True)
class _Loop:
    bundler: Bundler
    engine: Engine
    build: BuildGraph
    stop: StopRequest
    beside: Companion
    in_flight: int = 0
    deaths: Counter[str] = field(default_factory=Counter)
    # ^ how often a worker died that had the image, by image_id
    again: list[Bundle] = field(default_factory=list)
    # ^ single images to try once more among the others
    suspects: list[Bundle] = field(default_factory=list)
    # ^ images that were there at two deaths: perhaps a neighbour's fault, so they are tried with no neighbours


def execute(
    bundler: Bundler, engine: Engine, build: BuildGraph, stop: StopRequest, beside: Companion | None = None
) -> Iterator[list[ImageRecord]]:
    """Records as images finish, in any order, some at a time; raises RunGivenUp when the engine is lost.

    What becomes due `beside` them goes before further images, and is told of what has become of it.

    After a stop, an image cut short yields what it has, with a failure whose error is INTERRUPTED. An image whose
    worker dies is tried once more among the others, then alone; if it ends its worker twice when alone, it is named.
    """
    loop = _Loop(bundler, engine, build, stop, beside or _Alone())
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
    chosen = [submission for _ in range(loop.engine.places) if (submission := _next(loop)) is not None]
    if not chosen and not loop.in_flight and loop.suspects:
        chosen = [_submission(loop, loop.suspects.pop())]
    if chosen:
        loop.engine.submit(chosen)
        loop.in_flight += len(chosen)


def _next(loop: _Loop) -> Submission | None:
    if (submission := loop.beside.next()) is not None:
        return submission
    bundle = loop.again.pop() if loop.again else loop.bundler.next(loop.engine.workers)
    return None if bundle is None else _submission(loop, bundle)


def _submission(loop: _Loop, bundle: Bundle) -> Submission:
    return bundle, loop.build(bundle, _attempts(loop, bundle))


def _attempts(loop: _Loop, bundle: Bundle) -> int:
    return loop.deaths[bundle.images[0].source.image_id]


def _collect(loop: _Loop) -> list[ImageRecord]:
    records: list[ImageRecord] = []
    for done in loop.engine.finished(_POLL_SECONDS):
        loop.in_flight -= 1
        if not isinstance(done.job, Bundle):
            _take(loop, done)
        elif isinstance(done.error, WorkersLost):
            records += [named for image in done.job.images if (named := _accuse(loop, image)) is not None]
        elif done.error is None:
            _learn(loop.bundler, done.job, done.results)
            records += done.results
        else:
            _give_up(loop, done.error)
    return records


def _take(loop: _Loop, done: Finished) -> None:
    if done.error is None or isinstance(done.error, WorkersLost):
        loop.beside.take(done.job, None if done.error else done.results)
    else:
        _give_up(loop, done.error)


def _give_up(loop: _Loop, error: BaseException) -> None:
    """Raise why the run cannot go on; after a stop, whatever ends what is under way is no reason."""
    if not loop.stop:
        raise error if isinstance(error, FlatpipeError) else RunGivenUp(str(error)) from error


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
