"""A Dask scheduler as an Engine, wherever it runs: what happens to it arrives as outcomes or as RunGivenUp."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import Any

from distributed.scheduler import KilledWorker, NoWorkerError

from flatpipe.engines.clusters.replacement import Replacement
from flatpipe.engines.clusters.starting import left_running
from flatpipe.engines.engine import EngineState, Finished, Job, Submission, WorkersLost
from flatpipe.engines.opening import Opening
from flatpipe.engines.silence import Silence
from flatpipe.engines.standing import cluster_state
from flatpipe.errors import RunGivenUp
from flatpipe.text import counted
from flatpipe.work.worker import stop_run

_TICK_SECONDS = 0.01
# ^ between looks at the futures; what finishes in one is fetched and recorded together
_LOOK_SECONDS = 2.0
# ^ between looks at the scheduler: are there workers, and how many threads have they?
_ANSWER_SECONDS = 10.0
# ^ a scheduler that is this late with an answer counts as absent for the while
_QUIET_SECONDS = 10.0
# ^ in which nothing finished: from then on only workers count that stay from one look to the next. Those that are ended
#   as soon as they have begun come again and again, and never take a task
_FETCH_SECONDS = 5.0
# ^ results are records of some kilobytes; waiting longer would hide that the scheduler is lost


class ClusterEngine:
    """A Dask client that feeds a scheduler, and notices when it has no workers or is gone."""

    task_seconds = 0.003

    def __init__(
        self,
        opening: Opening,
        client: Any,
        most_threads: int,
        patience: float,
        replacement: Replacement | None = None,
        *,
        is_local: bool = False,
    ) -> None:
        self._client, self._run, self._retries = client, opening.settings.run, opening.config.errors.retries
        self.workers = self.present = self._most_threads = most_threads
        self._patience = patience
        # ^ seconds without any worker after which the run is given up
        self._is_local = is_local
        # ^ whether this process reaches the workers: then results need not go through the scheduler
        self._replacement = replacement
        if replacement is not None:
            replacement.look()
            # ^ a worker that was never seen is taken to be still on its way
        self._looked = self._had_workers = time.monotonic()
        self._silence = Silence(opening.listener.preparing)
        self._futures: dict[Any, Job] = {}
        self._stopped = False
        self._seen: frozenset[str] = frozenset()
        # ^ workers at the last look for which each of them was asked
        self._at_work: frozenset[str] | None = None
        # ^ workers when the run was stopped, if the scheduler said so

    @property
    def places(self) -> int:
        """Those of the window that are free, once they are a quarter of it: a submission costs as much as many tasks.

        The window is for the most threads that are foreseen, or those there are when more have come; five at least:
        with fewer, Dask takes the pairs of one image for roots and scatters them over the workers.
        """
        window = max(5, 2 * self.workers + 4)
        free = window - len(self._futures)
        return free if 4 * free >= window else 0

    def submit(self, submissions: Sequence[Submission]) -> None:
        """Send the jobs' graphs to the scheduler, in one message."""
        if not self._futures:
            self._silence.end()
        roots = [root for _, root in submissions]
        futures = self._client.compute(roots, fifo_timeout="0s", retries=self._retries, optimize_graph=False)
        # ^ fifo_timeout: images submitted within a minute would otherwise interleave and thrash the workers' caches
        self._futures.update(zip(futures, (job for job, _ in submissions), strict=True))

    def finished(self, timeout: float) -> list[Finished]:
        """All jobs that are done, none after `timeout` seconds; raises RunGivenUp when the cluster is lost."""
        self._look()
        found = self._waited(timeout)
        at_hand = self._gathered([future for future in found if future.status == "finished"])
        return [done for future in found if (done := self._outcome(future, at_hand)) is not None]

    def _waited(self, timeout: float) -> list[Any]:
        """All futures that are done, at least one unless none is after `timeout` seconds.

        Their states are looked at now and then: a callback for each would cost the event loop more than its result.
        """
        deadline = time.monotonic() + timeout
        while True:
            time.sleep(_TICK_SECONDS)
            if (found := [future for future in self._futures if future.done()]) or time.monotonic() > deadline:
                return found

    def _gathered(self, futures: list[Any]) -> dict[Any, Any]:
        """The results of futures, all fetched at once; none when one of them does not come in time."""
        try:
            results = self._client.sync(
                lambda: self._client.gather(futures, direct=self._is_local or None, asynchronous=True),
                callback_timeout=_FETCH_SECONDS,
            )
        except Exception:  # noqa: BLE001 - whatever it is, asking for each alone will tell whose trouble it is
            return {}
        return dict(zip(futures, results, strict=True))

    def _outcome(self, future: Any, at_hand: dict[Any, Any]) -> Finished | None:
        """What became of a future's job; None when it is not known yet."""
        job = self._futures[future]
        done = Finished(job, at_hand[future]) if future in at_hand else _fetched(future, job)
        if done is None:
            # the worker that held the result died with it: it is being computed again, or the scheduler is gone too
            return None
        del self._futures[future]
        future.release()
        self._silence.end()
        return done

    def stop(self) -> None:
        """Tell the workers to begin nothing more: what runs finishes, and what was done comes back as results."""
        if not self._stopped and self._client.status == "running":
            self._stopped = True
            scheduler = self._scheduler(each=True)
            self._at_work = frozenset(scheduler["workers"]) if scheduler else None
            left_running(partial(self._client.run, stop_run, self._run, on_error="ignore"))
            # ^ a worker that hangs or ends meanwhile never answers

    def close(self, *, at_once: bool = False) -> None:  # noqa: ARG002 - nothing here takes long
        """Forget what is in flight."""
        self._futures.clear()

    def unfinished(self) -> list[str]:
        """The images that are in flight."""
        return [name for job in self._futures.values() for name in job.names]

    @property
    def silent_seconds(self) -> float:
        """How long ago a job finished."""
        return self._silence.seconds if self._futures else 0.0

    def state(self) -> EngineState:
        """What the scheduler says, and each worker that has something to do."""
        return cluster_state(self._client)

    def _waited_for(self, scheduler: dict[str, Any]) -> str:
        waiting, workers = self.unfinished(), counted(scheduler.get("n_workers", 0), "worker")
        return f"{workers} at {counted(len(waiting), 'image')}, such as {waiting[0]}"

    def _look(self) -> None:
        """Now and then: follow the number of threads, and give up when there has been no worker for too long."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        if self._client.status not in ("running", "connecting"):
            raise RunGivenUp("the connection to the Dask scheduler was lost; run again to resume")
        if self._replacement is not None and not self._stopped:
            self._replacement.look()
        scheduler = self._scheduler(each=self._stopped or self._silence.seconds > _QUIET_SECONDS)
        self.workers = max(self._most_threads, scheduler.get("total_threads", 0))
        self.present = scheduler.get("n_workers", self.present)
        if self._futures:
            self._silence.look(partial(self._waited_for, scheduler))
        if self._is_served(scheduler):
            self._had_workers = now
        elif now - self._had_workers > self._patience:
            missing = "no worker has been there" if scheduler else "the Dask scheduler has not answered"
            raise RunGivenUp(f"{missing} for {self._patience:.0f} s; run again to resume")

    def _is_served(self, scheduler: dict[str, Any]) -> bool:
        """Whether workers are there; raises RunGivenUp when the run was stopped, and none that was at work is left."""
        here = frozenset(scheduler.get("workers", ()))
        if not here:
            is_there = bool(scheduler.get("n_workers", 0))
        else:
            is_there, self._seen = bool(here & self._seen), here
        if self._at_work is not None and scheduler and not here & self._at_work:
            raise RunGivenUp("stopped; the workers that were busy have ended; run again to go on")
        return is_there

    def _scheduler(self, *, each: bool = False) -> dict[str, Any]:
        """What the scheduler says of itself, and on request of each worker; empty when it does not answer."""
        try:
            identity, most = self._client.scheduler.identity, -1 if each else 0
            return dict(self._client.sync(identity, n_workers=most, callback_timeout=_ANSWER_SECONDS))
        except (OSError, TimeoutError, AttributeError):
            # ^ AttributeError: a client that has just lost its scheduler has none to ask
            return {}


def _fetched(future: Any, job: Job) -> Finished | None:
    """What a done future holds; None when it does not come, because the worker that has it died just then."""
    try:
        return Finished(job, future.result(timeout=_FETCH_SECONDS))
    except TimeoutError:
        return None
    except KilledWorker as error:
        return Finished(job, error=WorkersLost(str(error)))
    except NoWorkerError:
        return Finished(job, error=RunGivenUp("no worker has been there for too long; run again to resume"))
    except (CancelledError, OSError):
        # ^ OSError: the connection broke while the result was on its way
        return Finished(job, error=RunGivenUp("the Dask scheduler was lost; run again to resume"))
    except Exception as error:  # noqa: BLE001 - tasks raise nothing: whatever arrives here is the cluster's own trouble
        words = f"the cluster failed: {type(error).__name__}: {error}; run again to resume"
        return Finished(job, error=RunGivenUp(words))
