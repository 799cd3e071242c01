"""Retry of reads and writes that failed for a reason that may pass."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

_LASTING = {
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
    *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EILSEQ),
}
# ^ errors that a second try meets again; the others (stale handle, time-out, reset connection) may pass
_FIRST_PAUSE_SECONDS = 0.5


def with_retries(action: Callable[[], Value], retries: int) -> Value:
    """What `action` returns; an OSError that may pass is met by another try, each after twice the pause."""
    for attempt in range(retries):
        try:
            return action()
        except OSError as error:
            if error.errno in _LASTING or isinstance(error, FileNotFoundError | PermissionError):
                raise
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    return action()
