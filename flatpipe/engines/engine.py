"""What the loop asks of whatever carries the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dask.delayed import Delayed


class Job(Protocol):
    """What is submitted together, and tried again together."""

    @property
    def names(self) -> Sequence[str]:
        """What a person knows it by: ids of images, a group of them."""
        ...


Submission = tuple[Job, Delayed]
# ^ a job and the root of its graph


class WorkersLost(Exception):
    """Raised by an engine for one job: worker processes died while they had it."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one submitted job: what its graph came to, or the infrastructure's error."""

    job: Job
    results: tuple[Any, ...] = ()
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class EngineState:
    """Where everything stands, for whoever looks into a stall."""

    busy: dict[str, float]
    # ^ seconds by image, of those that are being worked on, as far as that is known
    text: str


class Engine(Protocol):
    """Something that computes jobs' graphs: this process, its threads, or a cluster."""

    task_seconds: float
    # ^ about what a task costs, besides what it does

    @property
    def workers(self) -> int:
        """How many tasks run at the same time; it may grow while a cluster does."""
        ...

    @property
    def present(self) -> int:
        """How many workers are there now, as far as that is known."""
        ...

    @property
    def places(self) -> int:
        """How many jobs more it takes now; 0 while what it has is enough to keep it busy."""
        ...

    def submit(self, submissions: Sequence[Submission]) -> None:
        """Begin (or queue) some jobs."""
        ...

    def finished(self, timeout: float) -> list[Finished]:
        """All jobs that are done, none after `timeout` seconds; raises RunGivenUp when the engine is lost."""
        ...

    def stop(self) -> None:
        """Begin nothing more; what runs may finish."""
        ...

    def unfinished(self) -> list[str]:
        """The images that it is at, or that a stop has cut short, as far as that is known; the longest first."""
        ...

    @property
    def silent_seconds(self) -> float:
        """How long ago anything finished, while something is under way; 0 while nothing is."""
        ...

    def state(self) -> EngineState:
        """Where everything stands, asked from another thread; waits for no more than half a minute."""
        ...

    def close(self, *, at_once: bool = False) -> None:
        """Let go of processes and threads, `at_once` even while they are at work."""
        ...
