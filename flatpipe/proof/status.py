"""How far a run is, or how it ended, read from its ledger while or after it goes on."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flatpipe.errors import ConfigError
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.holding import is_held
from flatpipe.vocabulary import Flats

State = Literal["starting", "running", "finished", "ended early", "killed"]


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The last run, in numbers."""

    run_id: str
    state: State
    reason: str
    # ^ why it ended early, in words
    started: str
    # ^ UTC
    finished: str | None
    images: int
    # ^ in the run's plan
    due: int
    # ^ of them with something to do
    current: int
    # ^ of them up to date when the run began
    not_selected: int
    # ^ of them neither: --only, --only-failed or --limit leaves them as they are
    done: int
    failed: int
    # ^ by this run
    pairs: int
    pairs_done: int
    seconds: float
    # ^ of work, planning not included
    images_per_second: float
    seconds_left: float | None
    # ^ None when the run is over, or has not come far enough to tell
    flats: Flats
    # ^ which flat images it writes

    @property
    def left(self) -> int:
        """Images still to do."""
        return max(0, self.due - self.done - self.failed)


def run_status(ledger: Ledger, ledger_path: str) -> RunStatus:
    """The status of the last run that the ledger knows; raises ConfigError when there was none."""
    run = ledger.last_run()
    if run is None:
        raise ConfigError(f"{Path(ledger_path).parent}: no run has been here yet")
    progress, planned = ledger.progress(run.run_id), ledger.planned_counts()
    state = _state(run.state, ledger_path, has_begun=progress.began > 0)
    seconds = (time.time() if state == "running" and progress.began else progress.updated) - progress.began
    rate = (progress.done + progress.failed) / seconds if seconds > 0 else 0.0
    left = progress.images - progress.done - progress.failed
    return RunStatus(
        run_id=run.run_id,
        state=state,
        reason=run.state if state == "ended early" else "",
        started=run.started,
        finished=run.finished,
        images=planned.images,
        due=progress.images,
        current=planned.current,
        not_selected=planned.not_selected,
        done=progress.done,
        failed=progress.failed,
        pairs=progress.pairs,
        pairs_done=progress.pairs_done,
        seconds=seconds,
        images_per_second=rate,
        seconds_left=left / rate if state == "running" and rate else None,
        flats=json.loads(run.config)["output"].get("flats", "all"),
    )


def _state(recorded: str, ledger_path: str, *, has_begun: bool) -> State:
    if recorded == "running":
        return "killed" if not is_held(ledger_path) else "running" if has_begun else "starting"
    return "finished" if recorded == "finished" else "ended early"
