"""What is done in each worker process as it starts, restarts and late arrivals included."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import uuid
from typing import Any

import distributed
import psutil
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from flatpipe.c_libraries import silence_c_libraries
from flatpipe.engines.clusters.allocator import keep_freed_memory
from flatpipe.engines.compiling import compile_kernels_here
from flatpipe.work.memory import DECODING_SHARE
from flatpipe.work.worker import this_worker

_CACHE_SHARE = 0.2
# ^ of a worker's memory for decoded images; Dask neither sees nor spills them


class WorkerSetup(distributed.WorkerPlugin):
    """Leaves Ctrl-C to the driver, bounds the image cache by the worker's memory, keeps libraries to one thread."""

    idempotent = True

    def __init__(self) -> None:
        self.name = f"flatpipe-{uuid.uuid4().hex}"
        # ^ of this run alone: two runs may share a scheduler

    async def setup(self, worker: Any) -> None:
        """Prepare the process that `worker` runs in; it takes no task before that is done."""
        with contextlib.suppress(ValueError):
            # ^ only a main thread may set handlers; a worker in a thread has none to protect
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        threadpool_limits(1)
        # ^ Dask's nanny sets this by environment variables, but a worker may have been started without a nanny
        memory = memory_of(worker)
        this_worker().configure(int(memory * _CACHE_SHARE), int(memory * DECODING_SHARE))
        if worker.nanny is not None:
            this_worker().may_exit = True
            keep_freed_memory()
            silence_c_libraries()
        await asyncio.to_thread(compile_kernels_here)


def memory_of(worker: Any) -> int:
    """Bytes that a worker may take: its limit, or its share of the machine when it has none."""
    limit = worker.memory_manager.memory_limit
    if limit:
        return int(limit)
    shares = max(1, round((os.cpu_count() or 1) / worker.state.nthreads))
    return int(psutil.virtual_memory().total / shares)
