"""Silence in which nothing finishes, broken by a sentence that says what is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

_FIRST_SECONDS = 120.0
# ^ in which nothing finished, before the run says so; then twice as long, and so on


class Silence:
    """Watches how long ago something moved, and tells when that is long."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.end()

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return time.monotonic() - self._moved

    def end(self) -> None:
        """Something has finished, or was begun after nothing had been."""
        self._moved, self._limit = time.monotonic(), _FIRST_SECONDS

    def look(self, waited_for: Callable[[], str]) -> None:
        """Tell what is waited for if nothing has moved for long; the next time after twice as long."""
        if self.seconds < self._limit:
            return
        self._tell(f"nothing has finished for {self._limit / 60:.0f} min; {waited_for()}")
        self._limit *= 2
