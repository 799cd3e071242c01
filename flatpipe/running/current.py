"""One run under way: what all its stages need to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flatpipe.observer import RunObserver
from flatpipe.plan.request import Request
from flatpipe.plan.workspace import Workspace
from flatpipe.running.run_log import RunLog
from flatpipe.running.store_plan import StoredPlan
from flatpipe.running.tally import Tally
from flatpipe.stop import StopRequest
from flatpipe.summaries import PlanSummary


@dataclass(slots=True)
class CurrentRun:
    """One run under way."""

    run_id: str
    began: float
    workspace: Workspace
    request: Request
    observer: RunObserver
    stop: StopRequest
    log: RunLog
    lock: Path | None
    # ^ what the run has promised to reproduce
    tally: Tally
    stored: StoredPlan

    @property
    def plan(self) -> PlanSummary:
        """What there is to do, as far as it is known."""
        return self.stored.counts.summary()

    @property
    def owes_palettes(self) -> bool:
        """Whether palettes that images share must be found first."""
        return self.stored.planning.sharing is not None and any(self.stored.planning.sharing.palettes.due)
