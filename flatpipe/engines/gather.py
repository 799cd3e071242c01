"""The loop for jobs that need one another's results no sooner than all are there: colours counted, palettes found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from dask.delayed import Delayed

from flatpipe.engines.engine import Engine, Job, WorkersLost
from flatpipe.errors import FlatpipeError, RunGivenUp
from flatpipe.stop import StopRequest

OneJob = TypeVar("OneJob", bound=Job)

_POLL_SECONDS = 0.25
# ^ how soon a stop is noticed while nothing finishes
_MOST_DEATHS = 3
# ^ of workers that had a job, until it is given back as lost


@dataclass(frozen=True, slots=True)
class Gathered(Generic[OneJob]):
    """What a job came to."""

    job: OneJob
    results: tuple[Any, ...] | None
    # ^ None: each worker that had it died


@dataclass(slots=True)
class _Loop(Generic[OneJob]):
    jobs: Iterator[OneJob]
    engine: Engine
    build: Callable[[OneJob, int], Delayed]
    in_flight: int = 0
    again: list[OneJob] = field(default_factory=list)
    deaths: Counter[OneJob] = field(default_factory=Counter)


def gather(
    jobs: Iterable[OneJob], engine: Engine, build: Callable[[OneJob, int], Delayed], stop: StopRequest
) -> Iterator[Gathered[OneJob]]:
    """What the jobs come to, in any order; `build` makes the graph of a job that was tried so many times before.

    Jobs are hashable. After a stop, those that have begun come to their end. Raises RunGivenUp when the engine is lost.
    """
    loop = _Loop(iter(jobs), engine, build)
    while True:
        if stop:
            engine.stop()
        else:
            _submit(loop)
        if not loop.in_flight:
            return
        yield from _collected(loop, stop)


def _submit(loop: _Loop[OneJob]) -> None:
    """Fill the free places."""
    chosen = []
    for _ in range(loop.engine.places):
        job = loop.again.pop() if loop.again else next(loop.jobs, None)
        if job is None:
            break
        chosen.append((job, loop.build(job, loop.deaths[job])))
    if chosen:
        loop.engine.submit(chosen)
        loop.in_flight += len(chosen)


def _collected(loop: _Loop[OneJob], stop: StopRequest) -> Iterator[Gathered[OneJob]]:
    for done in loop.engine.finished(_POLL_SECONDS):
        loop.in_flight -= 1
        job: Any = done.job
        if isinstance(done.error, WorkersLost):
            loop.deaths[job] += 1
            if loop.deaths[job] < _MOST_DEATHS:
                loop.again.append(job)
            else:
                yield Gathered(job, None)
        elif done.error is None:
            yield Gathered(job, done.results)
        elif not stop:
            raise done.error if isinstance(done.error, FlatpipeError) else RunGivenUp(str(done.error)) from done.error
