"""Which backend carries a run: the config's word, or what suits the work and the machine. Opens nothing."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from typing import get_args

from flatpipe.config import Config
from flatpipe.places import is_in_memory
from flatpipe.system.machine import core_count
from flatpipe.vocabulary import BackendKind, InProcess

_START_SECONDS = 1.5
# ^ until worker processes are ready
_NEGLIGIBLE_START = 0.05
# ^ part of a run that their start may take anyway: a decoder that crashes or hangs then ends a worker, and not the run
_MOST_THREADS = 8
# ^ threads wait for each other in the interpreter: of 16 photographs at a time, 16 cores did fewer than of 8
_THREAD_LOSS, _PROCESS_SHARE = 0.086, 0.9
# ^ n threads are n / (1 + 0.086 (n - 1)) times as fast as one, n processes 0.9 n: 5.0 and 7.2 times for 8


@dataclass(frozen=True, slots=True)
class Backend:
    """What is going to carry the run."""

    scheduler: BackendKind
    workers: int
    # ^ 0 when only the cluster knows
    name: str

    def __str__(self) -> str:
        return f"{self.name}, {self.workers} worker{'s' * (self.workers != 1)}" if self.workers else self.name


def choose_backend(config: Config, seconds: float, tasks: int) -> Backend:
    """What carries so many (image, k) that would take one worker so many seconds; the config's word goes first."""
    execution = config.execution
    if execution.cluster is not None:
        cluster = execution.cluster
        return Backend("cluster", 0, cluster.class_ or f"the cluster at {cluster.address or cluster.scheduler_file}")
    workers = core_count() if execution.workers == "auto" else int(execution.workers)
    if execution.scheduler != "auto":
        return Backend(execution.scheduler, 1 if execution.scheduler == "synchronous" else workers, execution.scheduler)
    if workers == 1:
        return Backend("synchronous", 1, "synchronous")
    threads = max(1, min(workers, _MOST_THREADS, tasks))
    may_start = not memory_places(config) and not multiprocessing.current_process().daemon
    # ^ a worker of multiprocessing.Pool or of Dask may have no processes of its own
    if may_start and _is_worth_processes(seconds, threads, workers):
        return Backend("processes", workers, "processes")
    return Backend("threads", threads, "threads")


def seconds_with(backend: Backend, seconds: float) -> float:
    """How long so many seconds of one worker's work take, the start of processes included."""
    if backend.scheduler not in get_args(InProcess):
        return _START_SECONDS + seconds / (_PROCESS_SHARE * max(1, backend.workers))
    return seconds * (1 + _THREAD_LOSS * (backend.workers - 1)) / backend.workers


def _is_worth_processes(seconds: float, threads: int, workers: int) -> bool:
    """Whether worker processes are done sooner, their start included, or as good as."""
    with_threads = seconds_with(Backend("threads", threads, "threads"), seconds)
    with_processes = seconds_with(Backend("processes", workers, "processes"), seconds)
    return with_processes < with_threads or _NEGLIGIBLE_START * with_threads > _START_SECONDS


def memory_places(config: Config) -> list[str]:
    """The places of a config that are in this process's memory, where no other sees them."""
    places = (*config.input.places, config.input.list or "", str(config.output.path))
    return [place for place in places if is_in_memory(place)]
