"""Signals turned into requests."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from flatpipe.errors import ExitCode
from flatpipe.stop import StopRequest

_EXIT_CODES = {
    signal.SIGHUP: ExitCode.HUNG_UP,
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
}
_NAMED = 3
# ^ images that a sentence names


@contextlib.contextmanager
def stop_on_signals(tell: Callable[[], None]) -> Iterator[StopRequest]:
    """The first SIGINT, SIGTERM or SIGHUP asks the run to stop, the second ends it."""
    stop = StopRequest()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop:
            stop.at_once = True
            raise KeyboardInterrupt
        stop.exit_code = _EXIT_CODES[signal.Signals(number)]
        threading.Thread(target=tell, daemon=True).start()
        # ^ not here: the signal may have come while this very thread was writing to the same stream

    try:
        before = {number: signal.signal(number, handle) for number in _EXIT_CODES if not _is_left_alone(number)}
    except ValueError:
        # not the main thread (a notebook, a server): signals are its owner's
        before = {}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_left_alone(number: signal.Signals) -> bool:
    """Whether a closed terminal shall not end the run: `nohup` has said so."""
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


def stopped_in_words(unfinished: Sequence[str]) -> str:
    """That a run was stopped, and in the midst of which images."""
    more = [f"{len(unfinished) - _NAMED:,} more"] if len(unfinished) > _NAMED else []
    midst = f" in the midst of {', '.join([*unfinished[:_NAMED], *more])}" if unfinished else ""
    return f"stopped{midst}; run again to go on"
