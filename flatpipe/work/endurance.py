"""How long a task insists: passing I/O errors are tried again, a decoder that never ends takes its process with it."""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import os
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

Value = TypeVar("Value")

_LASTING = {
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
    *(errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL),
}
# ^ errors that a second try meets again; the others (stale handle, time-out, reset connection) may pass
_FIRST_PAUSE_SECONDS = 0.5
_worker_may_exit = False


def allow_exit() -> None:
    """Tell this process that it is a worker whose end is noticed, and which is replaced."""
    global _worker_may_exit  # noqa: PLW0603 - a fact about the process
    _worker_may_exit = True


def persistently(action: Callable[[], Value], retries: int) -> Value:
    """What `action` returns; an OSError that may pass is met by another try, each after twice the pause."""
    for attempt in range(retries):
        try:
            return action()
        except OSError as error:
            if error.errno in _LASTING or isinstance(error, FileNotFoundError | PermissionError):
                raise
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    return action()


@contextlib.contextmanager
def ended_after(seconds: float | None) -> Iterator[None]:
    """End this worker process if the block takes longer: nothing else stops a decoder that is stuck in C.

    The interpreter's own watchdog thread does it, because it needs no lock that a stuck decoder may hold.
    In a process that is no worker, the limit is not obeyed.
    """
    if seconds is None or not _worker_may_exit:
        yield
        return
    with open(os.devnull, "w") as silence:  # noqa: PTH123
        faulthandler.dump_traceback_later(seconds, exit=True, file=silence)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
