"""The execution section as an Engine. Only `processes` and clusters import Dask's distributed scheduler."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import psutil
from dask.system import CPU_COUNT

from flatpipe.batch import tasks
from flatpipe.batch.execute import Engine, SynchronousEngine, ThreadsEngine
from flatpipe.batch.memory import DECODING_SHARE
from flatpipe.batch.opening import Opening
from flatpipe.batch.settings import memory_per_worker
from flatpipe.config import Config
from flatpipe.errors import ConfigError

_WORTH_PROCESSES = 64
# ^ images: worker processes take about two seconds to start and a hundred milliseconds an image to pay for it


@dataclass(frozen=True, slots=True)
class Carrier:
    """What is going to carry the run."""

    scheduler: Literal["synchronous", "threads", "processes", "cluster"]
    workers: int
    # ^ 0 when only the cluster knows
    name: str

    def __str__(self) -> str:
        return f"{self.name}, {self.workers} worker{'s' * (self.workers != 1)}" if self.workers else self.name


def choose_carrier(config: Config, images: int) -> Carrier:
    """What carries this many images of work; the config's word goes first."""
    execution = config.execution
    if execution.cluster is not None:
        cluster = execution.cluster
        return Carrier("cluster", 0, cluster.class_ or f"the cluster at {cluster.address or cluster.scheduler_file}")
    workers = CPU_COUNT if execution.workers == "auto" else int(execution.workers)
    if execution.scheduler != "auto":
        return Carrier(execution.scheduler, 1 if execution.scheduler == "synchronous" else workers, execution.scheduler)
    if workers == 1:
        return Carrier("synchronous", 1, "synchronous")
    if images >= _WORTH_PROCESSES and not _memory_places(config):
        return Carrier("processes", workers, "processes")
    return Carrier("threads", workers, "threads")


def check_carrier(config: Config) -> None:
    """Raise ConfigError when what is to carry the run cannot: known before any image is looked at."""
    cluster = config.execution.cluster
    if cluster is not None and cluster.class_:
        from flatpipe.batch.deploy import cluster_class

        cluster_class(cluster)
    if _memory_places(config) and (cluster is not None or config.execution.scheduler == "processes"):
        place = _memory_places(config)[0]
        raise ConfigError(
            f"{place} is in this process's memory, where no other sees it: use execution.scheduler threads"
        )


def _memory_places(config: Config) -> list[str]:
    places = (str(config.input.path), str(config.output.path))
    return [place for place in places if place.startswith("memory://")]


@contextlib.contextmanager
def open_engine(carrier: Carrier, opening: Opening) -> Iterator[Engine]:
    """An engine, closed at the end whatever happens; raises RunGivenUp when a cluster does not come up."""
    if carrier.scheduler == "cluster":
        from flatpipe.batch.connect import configured_cluster

        with configured_cluster(opening) as cluster:
            yield cluster
    elif carrier.scheduler == "processes":
        from flatpipe.batch.connect import local_processes

        with local_processes(carrier.workers, opening) as processes:
            yield processes
    else:
        share = int(memory_per_worker(opening.config) * DECODING_SHARE)
        tasks.configure_worker(psutil.virtual_memory().total // 4, share)
        run = opening.settings.run
        is_synchronous = carrier.scheduler == "synchronous"
        engine: Engine = SynchronousEngine(run) if is_synchronous else ThreadsEngine(run, carrier.workers)
        try:
            yield engine
        finally:
            engine.close()
