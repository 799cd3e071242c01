"""The request to stop a run: set by a signal handler, obeyed by whoever waits or loops."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from flatpipe.errors import ExitCode

WORK_THREADS = "flatpipe-work-"
# ^ how the names of all threads begin that do a run's work


@dataclass(slots=True)
class StopRequest:
    """Set by a signal handler, obeyed by the loop."""

    exit_code: ExitCode = ExitCode.DONE
    at_once: bool = False
    # ^ asked a second time: nothing more is waited for

    def __bool__(self) -> bool:
        return self.exit_code != ExitCode.DONE


def is_work_left() -> bool:
    """Whether threads are still at work that nobody waits for: those of a stuck image, or left by a second Ctrl-C."""
    return any(thread.name.startswith(WORK_THREADS) for thread in threading.enumerate())
