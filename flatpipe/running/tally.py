"""What a run has come to so far, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from flatpipe.records import ImageRecord


@dataclass(slots=True)
class Tally:
    """Images and flat images of a run that have come back."""

    expected_seconds: float = 0.0
    # ^ that one worker would take for all of it
    done: int = 0
    failed: int = 0
    pairs: int = 0
    worked: int = 0
    # ^ images that were due and have come back, done or failed
    failures: Counter[str] = field(default_factory=Counter)
    # ^ by the stable word of each
    unfinished: list[str] = field(default_factory=list)
    # ^ images that were being worked on when the run ended

    def count(self, record: ImageRecord) -> None:
        """Add what an image came to; of one that a stop cut short, only its flat images."""
        self.pairs += record.pairs
        if record.is_interrupted:
            return
        self.worked += 1
        if record.failure is None:
            self.done += 1
        else:
            self.failed += 1
            self.failures[record.failure.error] += 1
