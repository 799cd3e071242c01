"""What the loop asks of whatever carries the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dask.delayed import Delayed

from flatpipe.engines.bundle import Bundle
from flatpipe.records import ImageRecord

Submission = tuple[Bundle, Delayed]
# ^ a bundle and the root of its graph


class WorkersLost(Exception):
    """Raised by an engine for one bundle: worker processes died while they had it."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one submitted bundle: its images' records, or the infrastructure's error."""

    bundle: Bundle
    records: tuple[ImageRecord, ...] = ()
    error: BaseException | None = None


class Engine(Protocol):
    """Something that computes bundles' graphs: this process, its threads, or a cluster."""

    task_seconds: float
    # ^ about what a task costs, besides what it does

    @property
    def workers(self) -> int:
        """How many tasks run at the same time; it may grow while a cluster does."""
        ...

    @property
    def places(self) -> int:
        """How many bundles more it takes now; 0 while what it has is enough to keep it busy."""
        ...

    def submit(self, submissions: Sequence[Submission]) -> None:
        """Begin (or queue) some bundles."""
        ...

    def finished(self, timeout: float) -> list[Finished]:
        """All bundles that are done, none after `timeout` seconds; raises RunGivenUp when the engine is lost."""
        ...

    def stop(self) -> None:
        """Begin nothing more; what runs may finish."""
        ...

    def unfinished(self) -> list[str]:
        """The images that it is at, or that a stop has cut short, as far as that is known; the longest first."""
        ...

    def close(self, *, at_once: bool = False) -> None:
        """Let go of processes and threads, `at_once` even while they are at work."""
        ...
