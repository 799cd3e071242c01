"""How many images at a time the memory at hand has room for: rather fewer at once than one set aside."""

from __future__ import annotations

from dataclasses import replace

import psutil

from flatpipe.config import Config
from flatpipe.engines.opening import Opening
from flatpipe.errors import ConfigError
from flatpipe.plan.backend import Backend
from flatpipe.plan.settings import memory_per_worker
from flatpipe.records import ImageSource
from flatpipe.system.machine import core_count, memory_at_hand
from flatpipe.text import counted, in_bytes
from flatpipe.vocabulary import Scheduler
from flatpipe.work.memory import BASE_BYTES, Shares, memory_needed, shares

_SCHEDULER_BYTES = 150 << 20
# ^ that this process comes to take for Dask's scheduler, and the fork server beside it
_USABLE, _WORKING_SHARE = 0.9, 0.75
# ^ of the memory; and of a process's part of it, the rest being for the cache
_IN_PROCESS_BYTES, _IN_THREADS_BYTES = 160 << 20, 136 << 20
# ^ that libraries and kernels take of a worker process's memory, and of this one's, where all threads share them.
#   Measured with a small image beside them: 144 MiB were too little and 160 enough, 120 and 140 for threads
_SMALL_IMAGE_BYTES = 16 << 20


def check_memory(config: Config) -> None:
    """Raise ConfigError, with the least that works, when workers have no room for any image beside the libraries.

    Workers of a cluster are asked for what they have.
    """
    execution, given = config.execution, config.limits.memory_per_worker
    if execution.cluster is not None:
        return
    is_open = execution.workers == "auto" and given is None
    workers = _workers(config, is_open=is_open)
    has, least = memory_per_worker(config, workers), _least_memory(execution.scheduler, workers)
    if has >= least:
        return
    where = f"{execution.scheduler}, {counted(workers, 'worker')}"
    words = "this machine or container has" if given is None else "limits.memory_per_worker is"
    share = " for each" * (given is None and workers > 1)
    raise ConfigError(
        f"{words} {_in_mebibytes(has)}{share}, which is too little: libraries alone take most of it ({where}); "
        f'the least that works is "{_in_mebibytes(least)}"'
    )


def _workers(config: Config, *, is_open: bool) -> int:
    """How many workers there are at least: one where `with_room` may choose."""
    execution = config.execution
    if is_open or execution.scheduler == "synchronous":
        return 1
    return core_count() if execution.workers == "auto" else int(execution.workers)


def _least_memory(scheduler: Scheduler, workers: int) -> int:
    """Bytes for each worker with which a small image can be done; with `auto`, by threads if need be."""
    shared = _IN_THREADS_BYTES // workers
    return (_IN_PROCESS_BYTES if scheduler == "processes" else shared) + _SMALL_IMAGE_BYTES


def _in_mebibytes(count: int) -> str:
    return f"{-(-count >> 20)} MiB"


def with_room(backend: Backend, opening: Opening) -> Backend:
    """The backend with as many workers as the largest images leave room for, where the config leaves that open.

    Worker processes of which fewer than two would fit give way to threads, which share one set of libraries.
    """
    config = opening.config
    if _is_cramped(backend, config):
        return replace(backend, scheduler="threads", name="threads")
    if backend.scheduler == "cluster" or backend.workers == 1 or not _is_open(config):
        return backend
    need, name = max(((_need(source, opening), source.image_id) for source in opening.largest), default=(0, ""))
    fitting = _fitting(backend, need)
    if fitting >= backend.workers:
        return backend
    is_free = config.execution.scheduler == "auto"
    if is_free and backend.scheduler == "processes" and fitting < 2:
        threads = replace(backend, scheduler="threads", name="threads")
        backend = replace(threads, workers=min(backend.workers, max(1, _fitting(threads, need))))
    else:
        backend = replace(backend, workers=max(1, fitting))
    opening.listener.preparing(
        f"running on {backend}: {name} may take {in_bytes(need)} of {in_bytes(memory_at_hand())}"
    )
    return backend


def shares_here(workers: int, config: Config) -> Shares:
    """What the memory of this process is for when so many threads work in it."""
    resident = psutil.Process().memory_info().rss
    if config.limits.memory_per_worker is None:
        return shares(memory_at_hand(), resident, workers)
    part = shares(memory_per_worker(config), resident // workers)
    return Shares(part.cache * workers, part.decoding)


def _is_cramped(backend: Backend, config: Config) -> bool:
    """Whether worker processes, which nobody asked for, would have too little memory each."""
    is_free = config.execution.scheduler == "auto"
    in_processes = backend.scheduler == "processes"
    is_said = config.limits.memory_per_worker is not None or config.execution.workers != "auto"
    has = memory_per_worker(config, backend.workers)
    return is_free and in_processes and is_said and has < _least_memory("processes", backend.workers)


def _is_open(config: Config) -> bool:
    return config.execution.workers == "auto" and config.limits.memory_per_worker is None


def _need(source: ImageSource, opening: Opening) -> int:
    need = memory_needed(source, opening.settings)
    return 0 if need is None else need.with_many_colors


def _fitting(backend: Backend, need: int) -> int:
    """How many workers have room for an image that takes `need` bytes."""
    resident, each = psutil.Process().memory_info().rss, int(need / _WORKING_SHARE)
    if backend.scheduler == "threads":
        return int(memory_at_hand() * _USABLE - resident) // max(1, each)
    left = memory_at_hand() - resident - _SCHEDULER_BYTES
    return int(left * _USABLE) // (BASE_BYTES + each)
