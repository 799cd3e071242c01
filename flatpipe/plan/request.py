"""What the command line adds to the config, and which of the images it selects."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from flatpipe import layout
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.parts.part import RunPart
from flatpipe.records import ImageSource, RefusedFile


class Taking(Protocol):
    """What a round of a watch takes of the input, beside what the command line says."""

    def is_there(self, item: ImageSource | RefusedFile) -> bool:
        """Whether a file counts as there."""
        ...

    def takes(self, source: ImageSource, *, has_failed: bool) -> bool:
        """Whether an image is taken that needs work; `has_failed` when it has failed, and not succeeded since."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """Which of the images are meant, and whether to trust what is there."""

    only: tuple[str, ...] = ()
    # ^ globs of image ids
    only_failed: bool = False
    limit: int | None = None
    force: bool = False
    fail_fast: bool = False
    lock: str | None = None
    # ^ a flatpipe.lock that the run must reproduce; "" is the output's own
    command: str = ""
    # ^ what runs this config again when it is typed in any folder: the report tells it; "": nothing does
    part: RunPart | None = None
    # ^ the part of the input to do; None: all of it
    taking: Taking | None = None
    # ^ None: every file that is there


def selector(request: Request, ledger: Ledger) -> Callable[[ImageSource], bool]:
    """Whether an image that needs work is one of those that are asked for; ask once for each, the limit counts."""
    asks = request.only_failed or request.taking is not None
    failed = {failed.image_id for failed in ledger.failures()} if asks else set()
    chosen = 0

    def is_wanted(source: ImageSource) -> bool:
        nonlocal chosen
        names = {source.image_id, layout.unmarked(source.image_id)}
        if request.only and not any(fnmatch.filter(names, glob) for glob in request.only):
            return False
        if request.only_failed and source.image_id not in failed:
            return False
        if request.taking is not None and not request.taking.takes(source, has_failed=source.image_id in failed):
            return False
        chosen += 1
        return request.limit is None or chosen <= request.limit

    return is_wanted
