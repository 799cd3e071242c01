"""What opening an engine needs to know of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flatpipe.config import Config
from flatpipe.config.sections.cluster import ClusterSection
from flatpipe.records import ImageSource
from flatpipe.settings import TaskSettings
from flatpipe.stop import StopRequest


class Listener(Protocol):
    """Whoever is told how the cluster comes up."""

    def note(self, text: str) -> None:
        """Something that the user should know, and need not act on."""
        ...

    def preparing(self, what: str) -> None:
        """Something takes a while."""
        ...

    def compiling(self, done: int, total: int) -> None:
        """So many parts of the kernels are compiled, of so many."""
        ...

    def connected(self, workers: int, threads: int, dashboard: str) -> None:
        """The cluster is ready."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What opening a cluster needs to know of the run."""

    config: Config
    settings: TaskSettings
    largest: Sequence[ImageSource]
    # ^ a few of the largest files to be flattened, for checking that workers can read and hold them
    listener: Listener
    stop: StopRequest

    @property
    def section(self) -> ClusterSection:
        """execution.cluster, where there is one."""
        section = self.config.execution.cluster
        assert section is not None
        return section
