"""The engines of this process: one thread, or Dask's threaded scheduler."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import dask
import dask.threaded
from dask.delayed import Delayed
from dask.local import get_sync

from flatpipe.engines.engine import EngineState, Finished, Job, Submission
from flatpipe.engines.silence import Silence
from flatpipe.stop import WORK_THREADS
from flatpipe.text import duration
from flatpipe.work.worker import process_state, stop_run, this_worker

_LOOK_SECONDS = 5.0
# ^ between looks at how long ago something finished


def unfinished() -> list[str]:
    """The images that this process is at, or that a stop has cut short, the longest first."""
    found = this_worker().unfinished()
    return sorted(found, key=lambda name: -found[name])


def _waited_for() -> str:
    found = this_worker().unfinished()
    return f"at work: {', '.join(f'{name} for {duration(found[name])}' for name in unfinished())}"


def _state() -> EngineState:
    here = process_state()
    return EngineState(here.busy, here.stacks)


class SynchronousEngine:
    """Everything in this thread, one image at a time: the specification of the other engines, and the way to debug."""

    workers = present = 1
    task_seconds = 0.0005

    def __init__(self, run: str, tell: Callable[[str], None]) -> None:
        self._run, self._silence = run, Silence(tell)
        self._queued: deque[Submission] = deque()
        self._is_computing = False
        self._is_closed = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    @property
    def places(self) -> int:
        """One, when there is nothing to do."""
        return 1 - len(self._queued)

    def submit(self, submissions: Sequence[Submission]) -> None:
        """Keep the jobs until they are asked for."""
        self._queued.extend(submissions)

    def finished(self, timeout: float) -> list[Finished]:
        """Compute the oldest job now, however long it takes."""
        del timeout
        job, root = self._queued.popleft()
        self._silence.end()
        self._is_computing = True
        (results,) = dask.compute(root, scheduler=get_sync, optimize_graph=False)
        self._is_computing = False
        return [Finished(job, results)]

    def stop(self) -> None:
        """Begin no further pair."""
        stop_run(self._run)

    def unfinished(self) -> list[str]:
        """What a stop has cut short."""
        return unfinished()

    @property
    def silent_seconds(self) -> float:
        """How long the job takes that it is at."""
        return self._silence.seconds if self._is_computing else 0.0

    def state(self) -> EngineState:
        """The state of this process."""
        return _state()

    def close(self, *, at_once: bool = False) -> None:  # noqa: ARG002 - nothing here takes long
        """End the look-out for silence."""
        self._is_closed.set()

    def _look(self) -> None:
        """Say what is worked on when that takes long: this process's main thread is at it."""
        while not self._is_closed.wait(_LOOK_SECONDS):
            self._silence.look(_waited_for)


class ThreadsEngine:
    """Dask's threaded scheduler: the pairs of a few images at a time on one shared pool of threads."""

    task_seconds = 0.0005

    def __init__(self, run: str, workers: int, tell: Callable[[str], None]) -> None:
        self._run, self._silence = run, Silence(tell)
        self.workers = self.present = workers
        self._window = workers + 1
        # ^ one image more than threads, so that the next is decoded while the last pairs of another finish
        self._in_flight = 0
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=f"{WORK_THREADS}task")
        self._schedulers = ThreadPoolExecutor(self._window, thread_name_prefix=f"{WORK_THREADS}image")
        # ^ Dask's local scheduler is a loop that waits in its caller's thread: one such thread per image in flight
        self._done: queue.SimpleQueue[Finished] = queue.SimpleQueue()

    @property
    def places(self) -> int:
        """Those of the window that are free."""
        return self._window - self._in_flight

    def submit(self, submissions: Sequence[Submission]) -> None:
        """Start scheduling the jobs' tasks."""
        if not self._in_flight:
            self._silence.end()
        self._in_flight += len(submissions)
        for job, root in submissions:
            future = self._schedulers.submit(self._compute, root)
            future.add_done_callback(partial(self._put, job))

    def finished(self, timeout: float) -> list[Finished]:
        """All jobs that are done, none after `timeout` seconds."""
        done = []
        with contextlib.suppress(queue.Empty):
            done.append(self._done.get(timeout=timeout))
            while True:
                done.append(self._done.get_nowait())
        self._in_flight -= len(done)
        if done:
            self._silence.end()
        self._silence.look(_waited_for)
        return done

    def stop(self) -> None:
        """Begin no further pair."""
        stop_run(self._run)

    def unfinished(self) -> list[str]:
        """What threads are at, and what a stop has cut short."""
        return unfinished()

    @property
    def silent_seconds(self) -> float:
        """How long ago a job finished."""
        return self._silence.seconds if self._in_flight else 0.0

    def state(self) -> EngineState:
        """The state of this process."""
        return _state()

    def close(self, *, at_once: bool = False) -> None:
        """Wait for running pairs, then end the threads; `at_once` they are left to end by themselves."""
        stop_run(self._run)
        self._schedulers.shutdown(wait=not at_once, cancel_futures=True)
        self._pool.shutdown(wait=not at_once, cancel_futures=at_once)

    def _put(self, job: Job, done: Future[Any]) -> None:
        error = done.exception()
        self._done.put(Finished(job, (), error) if error is not None else Finished(job, done.result()))

    def _compute(self, root: Delayed) -> Any:
        (results,) = dask.compute(
            root, scheduler=dask.threaded.get, pool=self._pool, num_workers=self.workers, optimize_graph=False
        )
        return results
