"""What is done in each worker process as it starts, restarts and late arrivals included."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import uuid
from typing import Any

import distributed
import psutil
from distributed.core import Status
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from flatpipe.engines.clusters.allocator import keep_freed_memory
from flatpipe.engines.compiling import compile_kernels_here
from flatpipe.system.c_libraries import silence_c_libraries
from flatpipe.system.machine import core_count, memory_at_hand
from flatpipe.work.memory import shares
from flatpipe.work.worker import this_worker

_MORE_RESIDENT = 64 << 20
# ^ bytes that libraries and kernels come to take after the start


class WorkerSetup(distributed.WorkerPlugin):
    """Leaves Ctrl-C to the driver, bounds the image cache by the worker's memory, keeps libraries to one thread."""

    idempotent = True

    def __init__(self) -> None:
        self.name = f"flatpipe-{uuid.uuid4().hex}"
        # ^ of this run alone: two runs may share a scheduler
        self._paused_at: Any = False

    async def setup(self, worker: Any) -> None:
        """Prepare the process that `worker` runs in; it takes no task before that is done."""
        with contextlib.suppress(ValueError):
            # ^ only a main thread may set handlers; a worker in a thread has none to protect
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        threadpool_limits(1)
        # ^ Dask's nanny sets this by environment variables, but a worker may have been started without a nanny
        self._never_pause(worker)
        resident = psutil.Process().memory_info().rss + _MORE_RESIDENT
        parts = shares(memory_of(worker), resident, worker.state.nthreads)
        this_worker().configure(parts.cache, parts.decoding)
        if worker.nanny is not None:
            this_worker().may_exit = True
            keep_freed_memory()
            silence_c_libraries()
        await asyncio.to_thread(compile_kernels_here)

    def teardown(self, worker: Any) -> None:
        """Give a worker that others use too its own rule back."""
        worker.memory_manager.memory_pause_fraction = self._paused_at

    def _never_pause(self, worker: Any) -> None:
        """Let it begin tasks however full its memory is: what fills it is our cache, which only the next task empties.

        A paused worker would wait for ever for memory that nobody gives back.
        """
        self._paused_at = worker.memory_manager.memory_pause_fraction
        worker.memory_manager.memory_pause_fraction = False
        if worker.status == Status.paused:
            worker.status = Status.running


def memory_of(worker: Any) -> int:
    """Bytes that a worker may take: its limit, or its share of the machine when it has none."""
    limit = worker.memory_manager.memory_limit
    if limit:
        return int(limit)
    return memory_at_hand() // max(1, round(core_count() / int(worker.state.nthreads)))
