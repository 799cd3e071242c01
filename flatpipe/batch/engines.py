"""The execution section as an Engine. Only `processes` and clusters import Dask's distributed scheduler."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

import psutil
from dask.system import CPU_COUNT

from flatpipe.batch import tasks
from flatpipe.batch.execute import Engine, SynchronousEngine, ThreadsEngine
from flatpipe.config import Config

Scheduler = Literal["synchronous", "threads", "processes"]

_WORTH_PROCESSES = 64
# ^ images: worker processes take about two seconds to start and a hundred milliseconds an image to pay for it


def choose_scheduler(config: Config, images: int) -> tuple[Scheduler, int]:
    """The scheduler and number of workers for this many images of work; the config's word goes first."""
    execution = config.execution
    workers = CPU_COUNT if execution.workers == "auto" else int(execution.workers)
    if execution.scheduler != "auto":
        return execution.scheduler, 1 if execution.scheduler == "synchronous" else workers
    if workers == 1:
        return "synchronous", 1
    return ("processes" if images >= _WORTH_PROCESSES else "threads"), workers


@contextlib.contextmanager
def open_engine(scheduler: Scheduler, workers: int, retries: int) -> Iterator[Engine]:
    """An engine, closed at the end whatever happens."""
    if scheduler == "processes":
        from flatpipe.batch.cluster import local_processes

        with local_processes(workers, retries) as processes:
            yield processes
        return
    tasks.configure_worker(psutil.virtual_memory().total // 4)
    engine: Engine = SynchronousEngine() if scheduler == "synchronous" else ThreadsEngine(workers)
    try:
        yield engine
    finally:
        engine.close()
