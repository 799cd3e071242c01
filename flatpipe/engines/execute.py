"""Image graphs -> ImageResults as they finish: a sliding window, suspects tried again alone, interrupts obeyed.

One loop serves every scheduler; what differs is behind `Engine`. Memory stays flat however long the run is, because at
most `Engine.window` images are in flight and each result is let go as soon as it is recorded.
"""

from __future__ import annotations

import queue
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import dask
from dask.delayed import Delayed

from flatpipe.engines.bundle import Bundle
from flatpipe.errors import FlatpipeError, RunGivenUp, WorkerDied
from flatpipe.records import Failure, ImageResult, LoadToken, PlannedImage, StopRequest
from flatpipe.work import tasks

BuildGraph = Callable[[Bundle, int], Delayed]
# ^ of a bundle and the number of times it was tried before; computing it gives an ImageResult, or a tuple of them

_POLL_SECONDS = 0.25
# ^ how soon a stop is noticed while nothing finishes


_DEATHS_AMONG_OTHERS = 2
_DEATHS_ALONE = 2
# ^ more than one each, so that a machine taken away at a bad moment is not held against the image


class WorkersLost(Exception):
    """Raised by an engine for one image: worker processes died while they had it."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one submitted bundle: its result (or results), or the infrastructure's error."""

    bundle: Bundle
    result: ImageResult | tuple[ImageResult, ...] | None = None
    error: BaseException | None = None


class Engine(Protocol):
    """Something that computes image graphs: this process, its threads, or a cluster."""

    @property
    def window(self) -> int:
        """How many bundles to have in flight; it may grow while a cluster does."""
        ...

    def submit(self, bundle: Bundle, root: Delayed) -> None:
        """Begin (or queue) one bundle's graph."""
        ...

    def finished(self, timeout: float) -> Finished | None:
        """The next bundle that is done, or None after `timeout` seconds; raises RunGivenUp when the engine is lost."""
        ...

    def stop(self) -> None:
        """Begin nothing more; what runs may finish."""
        ...

    def close(self) -> None:
        """Let go of processes and threads."""
        ...


@dataclass(slots=True)
class _Loop:
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


def execute(work: Iterator[Bundle], engine: Engine, build: BuildGraph, stop: StopRequest) -> Iterator[ImageResult]:
    """Results as images finish, in any order; raises RunGivenUp when the engine is lost.

    After a stop, an image cut short yields what it has, with a failure whose error is INTERRUPTED. An image whose
    worker dies is tried once more among the others, then alone; if it ends its worker twice when alone, it is named.
    """
    loop = _Loop(engine, build, stop)
    yield from _window(loop, work)
    while loop.suspects and not loop.stop:
        yield from _window(loop, iter([loop.suspects.pop()]), most=1)


def _window(loop: _Loop, work: Iterator[Bundle], most: int = sys.maxsize) -> Iterator[ImageResult]:
    exhausted = False
    while not (exhausted and not loop.again) or loop.in_flight:
        while loop.in_flight < min(most, loop.engine.window) and not loop.stop:
            bundle = loop.again.pop() if loop.again else next(work, None)
            if bundle is None:
                exhausted = True
                break
            loop.engine.submit(bundle, loop.build(bundle, loop.deaths[bundle.images[0].source.image_id]))
            loop.in_flight += 1
        if loop.stop:
            exhausted = True
            loop.again.clear()
            loop.engine.stop()
        if loop.in_flight:
            yield from _collect(loop)


def _collect(loop: _Loop) -> Iterator[ImageResult]:
    done = loop.engine.finished(_POLL_SECONDS)
    if done is None:
        return
    loop.in_flight -= 1
    if done.result is not None:
        yield from done.result if isinstance(done.result, tuple) else (done.result,)
    elif isinstance(done.error, WorkersLost):
        for image in done.bundle.images:
            yield from _accuse(loop, image)
    elif done.error is not None and not loop.stop:
        raise done.error if isinstance(done.error, FlatpipeError) else RunGivenUp(str(done.error)) from done.error


def _accuse(loop: _Loop, image: PlannedImage) -> Iterator[ImageResult]:
    loop.deaths[image.source.image_id] += 1
    deaths = loop.deaths[image.source.image_id]
    if deaths < _DEATHS_AMONG_OTHERS:
        loop.again.append(Bundle((image,), one_task=True))
    elif deaths < _DEATHS_AMONG_OTHERS + _DEATHS_ALONE:
        loop.suspects.append(Bundle((image,), one_task=True))
    else:
        yield worker_died(image)


def worker_died(image: PlannedImage) -> ImageResult:
    """The outcome of an image that ended its worker process each time it was tried."""
    message = (
        "the worker process ended each time it worked on this image: "
        "its decoder crashed, ran out of memory, or exceeded limits.seconds_per_image"
    )
    failure = Failure("worker", WorkerDied.error, message)
    return ImageResult(image.source, LoadToken(image.source.image_id), failure=failure)


class SynchronousEngine:
    """Everything in this thread, one image at a time: the specification of the other engines, and the way to debug."""

    window = 1

    def __init__(self, run: str) -> None:
        self._run = run
        self._queued: list[tuple[Bundle, Delayed]] = []

    def submit(self, bundle: Bundle, root: Delayed) -> None:
        """Keep the bundle until it is asked for."""
        self._queued.append((bundle, root))

    def finished(self, timeout: float) -> Finished | None:
        """Compute the oldest bundle now, however long it takes."""
        del timeout
        bundle, root = self._queued.pop(0)
        (result,) = dask.compute(root, scheduler="synchronous", optimize_graph=False)
        return Finished(bundle, result)

    def stop(self) -> None:
        """Begin no further pair."""
        tasks.stop_tasks(self._run)

    def close(self) -> None:
        """Nothing to let go of."""


class ThreadsEngine:
    """Dask's threaded scheduler: the pairs of a few images at a time on one shared pool of threads."""

    def __init__(self, run: str, workers: int) -> None:
        self._run = run
        self.window = workers + 1
        # ^ one image more than threads, so that the next is decoded while the last pairs of another finish
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="flatpipe-task")
        self._schedulers = ThreadPoolExecutor(self.window, thread_name_prefix="flatpipe-image")
        # ^ Dask's local scheduler is a loop that waits in its caller's thread: one such thread per image in flight
        self._done: queue.SimpleQueue[Finished] = queue.SimpleQueue()

    def submit(self, bundle: Bundle, root: Delayed) -> None:
        """Start scheduling the bundle's tasks."""
        future = self._schedulers.submit(self._compute, root)
        future.add_done_callback(lambda done: self._done.put(_finished_future(bundle, done)))

    def finished(self, timeout: float) -> Finished | None:
        """The next bundle that is done, or None after `timeout` seconds."""
        try:
            return self._done.get(timeout=timeout)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Begin no further pair."""
        tasks.stop_tasks(self._run)

    def close(self) -> None:
        """Wait for running pairs, then end the threads."""
        tasks.stop_tasks(self._run)
        self._schedulers.shutdown(cancel_futures=True)
        self._pool.shutdown()

    def _compute(self, root: Delayed) -> Any:
        (result,) = dask.compute(
            root, scheduler="threads", pool=self._pool, num_workers=self._workers, optimize_graph=False
        )
        return result


def _finished_future(bundle: Bundle, done: Future[Any]) -> Finished:
    error = done.exception()
    return Finished(bundle, None, error) if error is not None else Finished(bundle, done.result())
