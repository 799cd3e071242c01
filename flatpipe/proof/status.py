"""How far a run is, or how it ended, read from its ledger while or after it goes on."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flatpipe.errors import ConfigError
from flatpipe.plan.workspace import Workspace

State = Literal["running", "finished", "ended early", "killed"]


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

    @property
    def left(self) -> int:
        """Images still to do."""
        return max(0, self.due - self.done - self.failed)


def run_status(workspace: Workspace) -> RunStatus:
    """The status of the last run of this output; raises ConfigError when there was none."""
    run = workspace.ledger.last_run()
    if run is None:
        raise ConfigError(f"{workspace.outputs.place}: no run has been here yet")
    progress = workspace.ledger.progress(run.run_id)
    state = _state(run.state, workspace.ledger_path)
    seconds = (time.time() if state == "running" and progress.began else progress.updated) - progress.began
    rate = (progress.done + progress.failed) / seconds if seconds > 0 else 0.0
    left = progress.images - progress.done - progress.failed
    return RunStatus(
        run_id=run.run_id,
        state=state,
        reason=run.state if state == "ended early" else "",
        started=run.started,
        finished=run.finished,
        images=workspace.ledger.planned_count(),
        due=progress.images,
        done=progress.done,
        failed=progress.failed,
        pairs=progress.pairs,
        pairs_done=progress.pairs_done,
        seconds=seconds,
        images_per_second=rate,
        seconds_left=left / rate if state == "running" and rate else None,
    )


def _state(recorded: str, ledger_path: str) -> State:
    if recorded == "running":
        return "running" if _is_held(ledger_path) else "killed"
    return "finished" if recorded == "finished" else "ended early"


def _is_held(ledger_path: str) -> bool:
    """Whether a process holds the ledger's folder, as a run does for as long as it lives."""
    folder = os.open(Path(ledger_path).parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return True
        # ^ no locks here: the ledger's word stands
    finally:
        os.close(folder)
    return False
