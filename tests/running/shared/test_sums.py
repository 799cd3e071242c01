"""Colours counted image by image, where a part's images end their worker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from flatpipe.engines.gather import Gathered
from flatpipe.engines.shared_jobs import CountedPart
from flatpipe.ledger.shared_rows import SumResult
from flatpipe.records import INTERRUPTED, Failure, ImageSource
from flatpipe.running.shared.sums import _count_singly


def test_a_stop_while_images_are_counted_one_by_one_leaves_their_part() -> None:
    """What a stop has cut short is no content: nothing of the part is recorded, and the next run counts it."""
    sources = tuple(ImageSource(f"{number}.png", "", 1, "") for number in range(2))
    stopped = SumResult(failure=Failure("flatten", INTERRUPTED, "the run was stopped"))
    recorded: list[Any] = []
    stage: Any = SimpleNamespace(
        gather=lambda jobs, _graph: [Gathered(job, (stopped,)) for job in jobs],
        ledger=SimpleNamespace(shared=SimpleNamespace(record_counted=recorded.append, record_sum=recorded.append)),
    )
    _count_singly(stage, CountedPart("collection", 0, sources, "how"))

    assert recorded == []
