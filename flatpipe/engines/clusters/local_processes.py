"""An engine of worker processes on this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import dask
import distributed

from flatpipe.engines.clusters.connect import DASK_SETTINGS, client_of
from flatpipe.engines.clusters.deploy import close_cluster
from flatpipe.engines.clusters.engine import ClusterEngine
from flatpipe.engines.clusters.fork_server import FORK_SERVER_SETTINGS, fork_server
from flatpipe.engines.clusters.job_queue import HERE
from flatpipe.engines.clusters.quiet import LastWords, quiet_logs, safe_import_path, same_environment
from flatpipe.engines.clusters.replacement import Replacement
from flatpipe.engines.clusters.scratch import SCRATCH, private_folder, same_import_path
from flatpipe.engines.clusters.security import temporary_credentials
from flatpipe.engines.clusters.starting import NONE_COMES, check_processes, started
from flatpipe.engines.clusters.worker_setup import WorkerSetup
from flatpipe.engines.compiling import compile_kernels
from flatpipe.engines.opening import Opening
from flatpipe.errors import RunGivenUp
from flatpipe.plan.settings import memory_per_worker

_START_SECONDS = 30.0
# ^ for all workers to come up; two take one when the machine is idle. Then the run begins with those that are there
_FIRST_SECONDS = 120.0
# ^ for the first of them, on a machine that is very busy
_LOOK_SECONDS = 2.0
# ^ between looks at those that have died already
_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 120.0
# ^ without any worker, once they were there


@contextlib.contextmanager
def local_processes(workers: int, opening: Opening) -> Iterator[ClusterEngine]:
    """An engine of worker processes on this machine, one compute thread each; raises RunGivenUp when none comes up."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(safe_import_path())
        check_processes()
        stack.enter_context(same_import_path())
        folder = stack.enter_context(private_folder())
        stack.enter_context(dask.config.set({**DASK_SETTINGS, **FORK_SERVER_SETTINGS, SCRATCH: folder}))
        stack.enter_context(same_environment())
        said = stack.enter_context(quiet_logs())
        stack.enter_context(fork_server())
        compile_kernels(opening.listener.compiling, opening.stop, opening.listener.note)
        # ^ while the fork server goes on importing
        cluster = _cluster(opening, workers)
        stack.callback(close_cluster, cluster, timeout=10)
        replacement = Replacement(cluster, partial(cluster.scale, workers))
        client = stack.enter_context(client_of(cluster, 60, opening.stop))
        client.register_plugin(WorkerSetup())
        cluster.scale(workers)
        _wait_for_workers(cluster, workers, replacement, opening, said)
        if importlib.util.find_spec("bokeh"):
            # ^ without it the pages only say that it is missing
            opening.listener.connected(workers, workers, client.dashboard_link or "")
        engine = ClusterEngine(opening, client, workers, _PATIENCE_SECONDS, replacement, is_local=True)
        stack.callback(engine.close)
        yield engine


def _cluster(opening: Opening, workers: int) -> Any:
    """A scheduler in this process, without workers yet."""
    make = partial(
        distributed.LocalCluster,
        n_workers=0,
        # ^ none before the plugin is known: one that died as it started would end the run with it
        threads_per_worker=1,
        processes=True,
        dashboard_address=HERE,
        silence_logs=60,
        security=temporary_credentials(),
        memory_limit=memory_per_worker(opening.config, workers),
    )
    try:
        return started("the scheduler", make, close_cluster, opening.stop, _FIRST_SECONDS)
    except (OSError, RuntimeError) as error:
        raise RunGivenUp(f"worker processes cannot be started: {error}") from error


def _wait_for_workers(cluster: Any, workers: int, replacement: Replacement, opening: Opening, said: LastWords) -> None:
    """Return when all are there, or some after a while; raise RunGivenUp when none comes, or the user stops."""
    began = looked = time.monotonic()
    while (here := len(cluster.scheduler.workers)) < workers:
        now = time.monotonic()
        if opening.stop:
            raise RunGivenUp("stopped while worker processes were starting")
        if here and now - began > _START_SECONDS:
            return
        if not here and (now - began > _FIRST_SECONDS or replacement.is_in_vain):
            raise RunGivenUp(f"{NONE_COMES}{said.told}")
        if now - looked > _LOOK_SECONDS:
            replacement.look()
            looked = now
        time.sleep(_POLL_SECONDS)
