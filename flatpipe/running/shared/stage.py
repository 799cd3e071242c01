"""The stage of a run that finds palettes which images share, as it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dask.delayed import Delayed

from flatpipe.engines.engine import Engine
from flatpipe.engines.gather import Gathered, OneJob, gather
from flatpipe.errors import RunGivenUp
from flatpipe.ledger.ledger import Ledger
from flatpipe.observer import RunObserver
from flatpipe.plan.palettes.sharing import Sharing
from flatpipe.plan.palettes.states import GroupState
from flatpipe.plan.workspace import Workspace
from flatpipe.records import INTERRUPTED, Failure
from flatpipe.settings import TaskSettings
from flatpipe.stop import StopRequest


@dataclass(slots=True)
class PaletteStage:
    """The work under way."""

    workspace: Workspace
    sharing: Sharing
    settings: TaskSettings
    engine: Engine
    observer: RunObserver
    stop: StopRequest
    due: list[GroupState]
    keys: dict[str, list[str]]
    # ^ of each due group's parts; "" while one is not counted
    damaged: set[str] = field(default_factory=set)

    @property
    def ledger(self) -> Ledger:
        """What has been done."""
        return self.workspace.ledger

    def gather(
        self, jobs: Iterable[OneJob], graph: Callable[[OneJob, int, TaskSettings], Delayed]
    ) -> Iterator[Gathered[OneJob]]:
        """What the jobs come to, each with the graph of its kind."""
        return gather(jobs, self.engine, lambda job, attempt: graph(job, attempt, self.settings), self.stop)

    def parts(self, state: GroupState) -> list[tuple[str, int]]:
        """Keys and heights of a group's parts, all counted."""
        keys = self.keys.get(state.group) or [part.key for part in state.parts]
        return [(key, part.height) for key, part in zip(keys, state.parts, strict=True)]


def came(results: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """What came of a job; raises RunGivenUp where each worker that had it died."""
    if results is None:
        raise RunGivenUp("workers end while they add colours up or find palettes; have they enough memory? run again")
    return results


def check(failure: Failure | None) -> None:
    """Raise RunGivenUp when something failed that every group needs; what a stop cut short is no failure."""
    if failure is not None and failure.error != INTERRUPTED:
        raise RunGivenUp(f"palettes cannot be made: {failure.message}")
