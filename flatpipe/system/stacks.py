"""Where every thread of this process is, for whoever looks into a stall."""

from __future__ import annotations

import sys
import threading
import traceback

from flatpipe.stop import WORK_THREADS

_AT_WORK = (WORK_THREADS, "Dask-Default-Threads")
# ^ in the names of threads that work on images


def thread_stacks() -> str:
    """The call stack of each thread below its name, those first that work on images."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames().items()
    stacks = [(names.get(ident, "a thread that Python did not start"), frame) for ident, frame in frames]
    stacks.sort(key=lambda stack: not any(word in stack[0] for word in _AT_WORK))
    return "\n".join(f"{name}:\n{''.join(traceback.format_stack(frame))}" for name, frame in stacks)
