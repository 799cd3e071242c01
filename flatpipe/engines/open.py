"""The execution section as an Engine. Only `processes` and clusters import Dask's distributed scheduler."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from flatpipe.config import Config
from flatpipe.engines.compiling import compile_kernels
from flatpipe.engines.engine import Engine
from flatpipe.engines.local import SynchronousEngine, ThreadsEngine
from flatpipe.engines.opening import Opening
from flatpipe.engines.room import check_memory, shares_here, with_room
from flatpipe.errors import ConfigError
from flatpipe.plan.backend import Backend, memory_places
from flatpipe.work.worker import this_worker


def check_backend(config: Config) -> None:
    """Raise ConfigError when what is to carry the run cannot: known before any image is looked at."""
    check_memory(config)
    cluster = config.execution.cluster
    if cluster is not None and cluster.class_:
        from flatpipe.engines.clusters.deploy import cluster_class

        cluster_class(cluster)
    if cluster is not None and (cluster.security.is_given or cluster.address):
        from flatpipe.engines.clusters.security import check_credentials, credentials_for

        credentials_for(cluster)
        if cluster.address:
            check_credentials(cluster, cluster.address)
    if memory_places(config) and (cluster is not None or config.execution.scheduler == "processes"):
        place = memory_places(config)[0]
        raise ConfigError(
            f"{place} is in this process's memory, where no other sees it: use execution.scheduler threads"
        )


@contextlib.contextmanager
def open_engine(backend: Backend, opening: Opening) -> Iterator[Engine]:
    """An engine, closed at the end whatever happens; raises RunGivenUp when a cluster does not come up."""
    backend = with_room(backend, opening)
    if backend.scheduler == "cluster":
        from flatpipe.engines.clusters.connect import configured_cluster

        with configured_cluster(opening) as cluster:
            yield cluster
    elif backend.scheduler == "processes":
        from flatpipe.engines.clusters.local_processes import local_processes

        with local_processes(backend.workers, opening) as processes:
            yield processes
    else:
        compile_kernels(opening.listener.compiling, opening.stop, opening.listener.note)
        parts = shares_here(backend.workers, opening.config)
        this_worker().configure(parts.cache, parts.decoding)
        with this_worker().driven(opening.settings.run, opening.stop):
            yield from _here(_local_engine(backend, opening))


def _local_engine(backend: Backend, opening: Opening) -> Engine:
    run, tell = opening.settings.run, opening.listener.preparing
    return (
        SynchronousEngine(run, tell)
        if backend.scheduler == "synchronous"
        else ThreadsEngine(run, backend.workers, tell)
    )


def _here(engine: Engine) -> Iterator[Engine]:
    """The engine, closed at the end: when the user stops for the second time, whatever it is at."""
    try:
        yield engine
    except KeyboardInterrupt:
        engine.close(at_once=True)
        raise
    except BaseException:
        engine.close()
        raise
    engine.close()
