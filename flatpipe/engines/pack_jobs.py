"""Shards as jobs, each a Dask graph of one task: a shard set aside, a shard packed."""

from __future__ import annotations

from dataclasses import dataclass

from dask.delayed import Delayed

from flatpipe.engines.graph import task
from flatpipe.ledger.packs.rows import NumberedShard, SetAside, WantedPack
from flatpipe.settings import TaskSettings
from flatpipe.work.packs import packing


@dataclass(frozen=True, slots=True, eq=False)
class PackJob:
    """A shard that is to be written, or first set aside."""

    shard: NumberedShard
    work: WantedPack | SetAside

    @property
    def names(self) -> tuple[str, ...]:
        """What it is."""
        return (self.work.file,)


def pack_graph(job: PackJob, attempt: int, settings: TaskSettings) -> Delayed:
    """The job's one task; computing it gives a tuple of a PackResult, or of a Failure or None of one set aside."""
    word = "pack" if isinstance(job.work, WantedPack) else "aside"
    name = (word, f"{settings.run}.{attempt}", job.work.file)
    return task(_done, work=job.work, settings=settings)(dask_key_name=name)


def _done(work: WantedPack | SetAside, settings: TaskSettings) -> tuple[object]:
    if isinstance(work, SetAside):
        return (packing.set_aside(work, settings),)
    return (packing.pack(work, settings),)
