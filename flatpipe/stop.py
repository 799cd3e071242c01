"""The request to stop a run: set by a signal handler, obeyed by whoever waits or loops."""

from __future__ import annotations

from dataclasses import dataclass

from flatpipe.errors import ExitCode


@dataclass(slots=True)
class StopRequest:
    """Set by a signal handler, obeyed by the loop."""

    exit_code: ExitCode = ExitCode.DONE

    def __bool__(self) -> bool:
        return self.exit_code != ExitCode.DONE
