"""Which backend carries a run: the config's word, or what suits the work and the machine. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass

from dask.system import CPU_COUNT

from flatpipe.config import Config
from flatpipe.places import is_in_memory
from flatpipe.vocabulary import Engine

_WORTH_PROCESSES = 64
# ^ images: worker processes take about two seconds to start and a hundred milliseconds an image to pay for it


@dataclass(frozen=True, slots=True)
class Backend:
    """What is going to carry the run."""

    scheduler: Engine
    workers: int
    # ^ 0 when only the cluster knows
    name: str

    def __str__(self) -> str:
        return f"{self.name}, {self.workers} worker{'s' * (self.workers != 1)}" if self.workers else self.name


def choose_backend(config: Config, images: int) -> Backend:
    """What carries this many images of work; the config's word goes first."""
    execution = config.execution
    if execution.cluster is not None:
        cluster = execution.cluster
        return Backend("cluster", 0, cluster.class_ or f"the cluster at {cluster.address or cluster.scheduler_file}")
    workers = CPU_COUNT if execution.workers == "auto" else int(execution.workers)
    if execution.scheduler != "auto":
        return Backend(execution.scheduler, 1 if execution.scheduler == "synchronous" else workers, execution.scheduler)
    if workers == 1:
        return Backend("synchronous", 1, "synchronous")
    if images >= _WORTH_PROCESSES and not memory_places(config):
        return Backend("processes", workers, "processes")
    return Backend("threads", workers, "threads")


def memory_places(config: Config) -> list[str]:
    """The places of a config that are in this process's memory, where no other sees them."""
    places = (str(config.input.path), str(config.output.path))
    return [place for place in places if is_in_memory(place)]
