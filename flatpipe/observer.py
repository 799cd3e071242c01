"""What a run tells while it goes on."""

from __future__ import annotations

from collections.abc import Callable

from flatpipe.errors import ExitCode
from flatpipe.records import ImageRecord
from flatpipe.summaries import PlanSummary, RunSummary


class RunObserver:
    """Told of a run's progress; the base class listens in silence."""

    def begun(self, run_id: str) -> None:
        """The run has its places, and plans."""

    def image_refused(self, record: ImageRecord) -> None:
        """A file that looks like an image will not be opened; told before `planned`."""

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

    def working(self, workers: Callable[[], int]) -> None:
        """All is ready, and the first image is begun; `workers` tells at any time how many are there."""

    def image_done(self, record: ImageRecord) -> None:
        """One image finished, or failed."""

    def stalled(self, text: str) -> None:
        """Nothing has come back for long; which image is at hand, and where it is written how everything stands."""

    def stopping(self) -> None:
        """The user asked to stop; what runs is finished."""

    def ended(self, summary: RunSummary) -> None:
        """All is written down; not told of a run that could not begin."""

    def exited(self, exit_code: ExitCode) -> None:
        """A watch is over, after all its rounds."""


class Observers(RunObserver):
    """Several who listen: each is told all of it, in their order."""

    def __init__(self, *observers: RunObserver) -> None:
        self._observers = observers

    def begun(self, run_id: str) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.begun(run_id)

    def image_refused(self, record: ImageRecord) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.image_refused(record)

    def planned(self, plan: PlanSummary, backend: str) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.planned(plan, backend)

    def note(self, text: str) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.note(text)

    def preparing(self, what: str) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.preparing(what)

    def compiling(self, done: int, total: int) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.compiling(done, total)

    def connected(self, workers: int, threads: int, dashboard: str) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.connected(workers, threads, dashboard)

    def working(self, workers: Callable[[], int]) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.working(workers)

    def image_done(self, record: ImageRecord) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.image_done(record)

    def stalled(self, text: str) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.stalled(text)

    def stopping(self) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.stopping()

    def ended(self, summary: RunSummary) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.ended(summary)

    def exited(self, exit_code: ExitCode) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.exited(exit_code)
