"""The watchdog of a worker process: a decoder that never ends takes the process with it."""

from __future__ import annotations

import contextlib
import faulthandler
import os
from collections.abc import Iterator


@contextlib.contextmanager
def watchdog(seconds: float | None) -> Iterator[None]:
    """End this process if the block takes longer: nothing else stops a decoder that is stuck in C.

    The interpreter's own watchdog thread does it, because it needs no lock that a stuck decoder may hold. With None
    there is no limit.
    """
    if seconds is None:
        yield
        return
    with open(os.devnull, "w") as silence:  # noqa: PTH123
        faulthandler.dump_traceback_later(seconds, exit=True, file=silence)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
