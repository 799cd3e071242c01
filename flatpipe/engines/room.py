"""How many images at a time the memory at hand has room for: rather fewer at once than one set aside."""

from __future__ import annotations

from dataclasses import replace

import psutil

from flatpipe.config import Config
from flatpipe.engines.opening import Opening
from flatpipe.machine import memory_at_hand
from flatpipe.plan.backend import Backend
from flatpipe.plan.settings import memory_per_worker
from flatpipe.records import ImageSource
from flatpipe.text import in_bytes
from flatpipe.work.memory import BASE_BYTES, Shares, memory_needed, shares

_SCHEDULER_BYTES = 150 << 20
# ^ that this process comes to take for Dask's scheduler, and the fork server beside it
_USABLE, _WORKING_SHARE = 0.9, 0.75
# ^ of the memory; and of a process's part of it, the rest being for the cache


def with_room(backend: Backend, opening: Opening) -> Backend:
    """The backend with as many workers as the largest images leave room for, where the config leaves that open.

    Worker processes of which fewer than two would fit give way to threads, which share one set of libraries.
    """
    config = opening.config
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


def _is_open(config: Config) -> bool:
    return config.execution.workers == "auto" and config.limits.memory_per_worker is None


def _need(source: ImageSource, opening: Opening) -> int:
    need = memory_needed(source, opening.settings)
    return 0 if need is None else need.bytes


def _fitting(backend: Backend, need: int) -> int:
    """How many workers have room for an image that takes `need` bytes."""
    resident, each = psutil.Process().memory_info().rss, int(need / _WORKING_SHARE)
    if backend.scheduler == "threads":
        return int(memory_at_hand() * _USABLE - resident) // max(1, each)
    left = memory_at_hand() - resident - _SCHEDULER_BYTES
    return int(left * _USABLE) // (BASE_BYTES + each)
