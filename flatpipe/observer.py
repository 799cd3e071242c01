"""What a run tells while it goes on."""

from __future__ import annotations

from flatpipe.records import ImageRecord
from flatpipe.summaries import PlanSummary


class RunObserver:
    """Told of a run's progress; the base class listens in silence."""

    def planned(self, plan: PlanSummary, backend: str) -> None:
        """The plan is complete; `backend` is going to do the work, if there is any."""

    def note(self, text: str) -> None:
        """Something that the user should know, and need not act on."""

    def preparing(self, what: str) -> None:
        """Something takes a while before work begins."""

    def compiling(self, done: int, total: int) -> None:
        """So many parts of the kernels are compiled, of so many: once for each machine, before work begins."""

    def connected(self, workers: int, threads: int, dashboard: str) -> None:
        """A cluster is ready; `dashboard` is the address of Dask's own pages, or ""."""

    def working(self) -> None:
        """All is ready, and the first image is begun."""

    def image_done(self, record: ImageRecord) -> None:
        """One image finished, or failed."""

    def stopping(self) -> None:
        """The user asked to stop; what runs is finished."""
