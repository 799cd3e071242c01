"""Starting something of Dask that may take long, or never come up: stoppable, bounded, and told why it failed."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from flatpipe.errors import RunGivenUp
from flatpipe.stop import StopRequest

_LOOK_SECONDS = 0.02
NONE_COMES = "no worker process comes up: each ends as it starts"
_INSTEAD = "run with execution.scheduler: threads"

Value = TypeVar("Value")


def check_processes() -> None:
    """Raise RunGivenUp, with what to do, where worker processes could not start: they would die in silence."""
    if multiprocessing.current_process().daemon:
        words = "this program is itself a worker of a pool (or of Dask), which may have no processes of its own"
        raise RunGivenUp(f"worker processes cannot be started: {words}; {_INSTEAD}")
    try:
        multiprocessing.get_context("forkserver").Lock()
    except (OSError, ImportError) as error:
        # ^ ImportError: a Python without semaphores
        words = f"/dev/shm cannot be written to ({_reason(error)})"  # noqa: S108 - a name in a sentence
        raise RunGivenUp(f"worker processes cannot be started: {words}; {_INSTEAD}") from error
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as error:
        words = f"this machine cannot reach itself at 127.0.0.1 ({_reason(error)})"
        raise RunGivenUp(f"worker processes cannot be started: {words}; {_INSTEAD}") from error


def _kept(_value: object) -> None:
    """Nothing is to be undone."""


def started(
    what: str, start: Callable[[], Value], undo: Callable[[Value], None], stop: StopRequest, seconds: float
) -> Value:
    """What `start` returns, or raises; RunGivenUp when the user stops meanwhile or it takes longer than `seconds`.

    It runs in a thread, so that Ctrl-C is heard; what comes after it is no longer awaited is undone.
    """
    return _awaited(_Attempt(start, undo), stop, seconds, f"{what} was starting", f"{what} to start")


def answered(
    what: str, ask: Callable[[], Value], stop: StopRequest, seconds: float, undo: Callable[[Value], None] = _kept
) -> Value:
    """What `ask` returns, or raises, with the same patience: a worker that hangs or ends meanwhile never answers."""
    return _awaited(_Attempt(ask, undo), stop, seconds, f"waiting for {what}", what)


def _awaited(attempt: _Attempt[Value], stop: StopRequest, seconds: float, doing: str, what: str) -> Value:
    thread = threading.Thread(target=attempt.run, name="flatpipe-start", daemon=True)
    deadline = time.monotonic() + seconds
    thread.start()
    with contextlib.ExitStack() as stack:
        stack.callback(attempt.leave)
        while thread.is_alive():
            thread.join(_LOOK_SECONDS)
            if stop:
                raise RunGivenUp(f"stopped while {doing}")
            if time.monotonic() > deadline:
                raise RunGivenUp(f"waited {seconds:.0f} s in vain for {what}")
        stack.pop_all()
    if attempt.error is not None:
        raise attempt.error
    return attempt.values[0]


def left_running(call: Callable[[], object], seconds: float = 0.0) -> None:
    """Call in a thread, and wait at most so long; nobody hears what becomes of it."""

    def quietly() -> None:
        with contextlib.suppress(Exception):
            call()

    thread = threading.Thread(target=quietly, name="flatpipe-left", daemon=True)
    thread.start()
    thread.join(seconds)


class _Attempt(Generic[Value]):
    """One start, which may be left alone before it is through."""

    def __init__(self, start: Callable[[], Value], undo: Callable[[Value], None]) -> None:
        self._start, self._undo = start, undo
        self._lock, self._is_left = threading.Lock(), False
        self.values: list[Value] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Start, keep what comes or was raised, and undo it if nobody waits any more."""
        try:
            value = self._start()
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            self.error = error
            return
        with self._lock:
            self.values.append(value)
            is_left = self._is_left
        if is_left:
            self._take_back()

    def leave(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._is_left = True
            is_there = bool(self.values)
        if is_there:
            self._take_back()

    def _take_back(self) -> None:
        with contextlib.suppress(Exception):
            self._undo(self.values[0])


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
