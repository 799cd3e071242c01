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


_RUN = "SELECT run_id, started, finished, state FROM runs ORDER BY rowid DESC LIMIT 1"
_PROGRESS = "SELECT began, updated, images, pairs, done, failed, pairs_done FROM progress WHERE run_id = ?"


def run_status(workspace: Workspace) -> RunStatus:
    """The status of the last run of this output; raises ConfigError when there was none."""
    ledger = workspace.ledger
    run = next(ledger.rows(_RUN), None)
    if run is None:
        raise ConfigError(f"{workspace.outputs.place}: no run has been here yet")
    run_id, started, finished, recorded = run
    images = next(ledger.rows("SELECT count(*) FROM planned"))[0]
    progress = next(ledger.rows(_PROGRESS, (run_id,)), None) or (0.0, 0.0, 0, 0, 0, 0, 0)
    began, updated, due, pairs, done, failed, pairs_done = progress
    state = _state(recorded, workspace.ledger_path)
    seconds = (time.time() if state == "running" and began else updated) - began
    rate = (done + failed) / seconds if seconds > 0 else 0.0
    left = due - done - failed
    return RunStatus(
        run_id=run_id,
        state=state,
        reason=recorded if state == "ended early" else "",
        started=started,
        finished=finished,
        images=images,
        due=due,
        done=done,
        failed=failed,
        pairs=pairs,
        pairs_done=pairs_done,
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
