"""The execution section as an Engine: Dask's distributed scheduler, on this machine or on a cluster."""

from __future__ import annotations

import contextlib
import logging
import queue
import signal
from collections.abc import Iterator
from typing import Any

import dask
import distributed
from dask.delayed import Delayed
from distributed.scheduler import KilledWorker, NoWorkerError

from flatpipe.batch import tasks
from flatpipe.batch.bundle import Bundle
from flatpipe.batch.endurance import allow_exit
from flatpipe.batch.execute import Finished, WorkersLost
from flatpipe.errors import RunGivenUp

_DASK_SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,
    # ^ the driver counts deaths itself: Dask blames every task that a dead worker had queued, we try them apart
    "distributed.scheduler.no-workers-timeout": "15 minutes",
    # ^ without it a run whose workers are all gone waits for ever
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    # ^ only records travel; decoded images are in our own bounded cache, which Dask cannot spill
    "distributed.comm.timeouts.connect": "60s",
    "distributed.admin.system-monitor.gil.enabled": False,
}


class ClusterEngine:
    """A Dask client. The window follows the number of threads, so that workers never wait for the driver."""

    def __init__(self, client: Any, threads: int, retries: int) -> None:
        self.window = max(5, 2 * threads + 4)
        # ^ five images at least: with fewer, Dask takes the pairs of one image for roots and scatters them
        self._client = client
        self._retries = retries
        self._futures: dict[Any, Bundle] = {}
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def submit(self, bundle: Bundle, root: Delayed) -> None:
        """Send the bundle's graph to the scheduler."""
        future = self._client.compute(root, fifo_timeout="0s", retries=self._retries, optimize_graph=False)
        # ^ fifo_timeout: images submitted within a minute would otherwise interleave and thrash the workers' caches
        self._futures[future] = bundle
        future.add_done_callback(self._done.put)

    def finished(self, timeout: float) -> Finished | None:
        """The next bundle that is done, or None after `timeout` seconds; raises RunGivenUp when the cluster is lost."""
        try:
            future = self._done.get(timeout=timeout)
        except queue.Empty:
            if self._client.status not in ("running", "connecting"):
                raise RunGivenUp("the connection to the Dask scheduler was lost; run again to resume") from None
            return None
        bundle = self._futures.pop(future)
        try:
            return self._outcome(future, bundle)
        finally:
            future.release()

    def _outcome(self, future: Any, bundle: Bundle) -> Finished:
        if future.status == "finished":
            return Finished(bundle, future.result())
        if future.status == "cancelled":
            return Finished(bundle, error=RunGivenUp("the Dask scheduler was lost; run again to resume"))
        error = future.exception()
        if isinstance(error, KilledWorker):
            return Finished(bundle, error=WorkersLost(str(error)))
        if isinstance(error, NoWorkerError):
            return Finished(bundle, error=RunGivenUp("no worker has been there for 15 minutes; run again to resume"))
        return Finished(bundle, error=error)

    def stop(self) -> None:
        """Cancel what the workers have not begun."""
        if self._futures:
            self._client.cancel(list(self._futures))

    def close(self) -> None:
        """Forget what is in flight."""
        self._futures.clear()


class WorkerSetup(distributed.WorkerPlugin):
    """Done in each worker process as it starts, restarts included."""

    name = "flatpipe-setup"
    idempotent = True

    def __init__(self, cache_bytes: int | None) -> None:
        self._cache_bytes = cache_bytes

    def setup(self, worker: Any) -> None:
        """Leave Ctrl-C to the driver, and bound the image cache by the worker's memory."""
        with contextlib.suppress(ValueError):
            # ^ only a main thread may set handlers; a worker in a thread has none to protect
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        share = self._cache_bytes
        if share is None:
            share = int((worker.memory_manager.memory_limit or 8 << 30) * 0.2)
        tasks.configure_worker(share)
        if worker.nanny is not None:
            allow_exit()


@contextlib.contextmanager
def local_processes(workers: int, retries: int) -> Iterator[ClusterEngine]:
    """An engine of worker processes on this machine, one compute thread each."""
    with dask.config.set(_DASK_SETTINGS), _quiet_logs(), _no_interrupts():
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )
        client = distributed.Client(cluster)
        client.register_plugin(WorkerSetup(None))
    with dask.config.set(_DASK_SETTINGS), _quiet_logs():
        engine = ClusterEngine(client, workers, retries)
        try:
            yield engine
        finally:
            engine.close()
            client.close(timeout=5)
            cluster.close(timeout=10)


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """While worker processes start, SIGINT is ignored, and they inherit that: Ctrl-C is the driver's to handle."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:
        # not the main thread: no terminal to protect from
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Dask's own log lines are not for the user's screen: what they tell is in our records."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
