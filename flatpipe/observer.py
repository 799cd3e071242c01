"""What a run tells while it goes on."""

from __future__ import annotations

from flatpipe.records import ImageResult, PlanSummary


class RunObserver:
    """Told of a run's progress; the base class listens in silence."""

    def planned(self, plan: PlanSummary, scheduler: str, workers: int) -> None:
        """The plan is complete; work begins (if there is any)."""

    def preparing(self, what: str) -> None:
        """Something takes a while before work begins."""

    def image_done(self, result: ImageResult) -> None:
        """One image finished, or failed."""

    def stopping(self) -> None:
        """The user asked to stop; what runs is finished."""
