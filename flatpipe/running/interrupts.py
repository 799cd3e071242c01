"""Signals turned into requests, and silences into messages."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from flatpipe.errors import ExitCode
from flatpipe.stop import StopRequest

_EXIT_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


@contextlib.contextmanager
def stop_on_signals(tell: Callable[[], None]) -> Iterator[StopRequest]:
    """The first SIGINT or SIGTERM asks the run to stop, the second ends it."""
    stop = StopRequest()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop:
            raise KeyboardInterrupt
        stop.exit_code = _EXIT_CODES[signal.Signals(number)]
        tell()

    try:
        before = {number: signal.signal(number, handle) for number in _EXIT_CODES}
    except ValueError:
        # not the main thread (a notebook, a server): signals are its owner's
        before = {}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def announced(tell: Callable[[str], None], what: str) -> Iterator[None]:
    """Tell what takes so long, if it takes long."""
    timer = threading.Timer(1.0, tell, (what,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
