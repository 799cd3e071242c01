"""The time limit of work that may never end, where no process can be: its thread is left while the others go on."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from flatpipe.errors import ImageError, ImageTimedOut
from flatpipe.stop import WORK_THREADS

Value = TypeVar("Value")

_LOOK_SECONDS = 0.2
# ^ between looks at the request to stop


class Interrupted(ImageError):
    """The user asked to stop."""


class _Helper:
    """A thread that does one thing at a time for others, and is kept for the next."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._obey, daemon=True)
        self._thread.start()

    def begin(self, action: Callable[[], Value]) -> Future[Value]:
        """What the action will return or raise."""
        done: Future[Value] = Future()
        self._asked.put(partial(_do, action, done))
        return done

    def leave(self) -> None:
        """Have it end after what it is at."""
        self._thread.name = f"{WORK_THREADS}left"
        self._asked.put(None)

    def _obey(self) -> None:
        while (asked := self._asked.get()) is not None:
            asked()
            del asked
            # ^ and with it what came of it, which may be a large image


_idle: list[_Helper] = []
# ^ taken and given back by whole operations of a list; starting a thread for each thumbnail would cost a third of what
#   loading it does
os.register_at_fork(after_in_child=_idle.clear)


def in_time(action: Callable[[], Value], seconds: float | None, is_stopped: Callable[[], bool]) -> Value:
    """What `action` returns or raises, done by another thread; raises ImageTimedOut, or Interrupted after a stop.

    Then that thread is left alone: nobody can end it, but whoever waits for it goes on, and a main thread hears signals
    meanwhile.
    """
    helper, began = _helper(), time.monotonic()
    done = helper.begin(action)
    try:
        while not _is_done(done):
            _check(time.monotonic() - began, seconds, is_stopped)
    except BaseException:
        helper.leave()
        raise
    _idle.append(helper)
    return done.result()


def _check(waited: float, seconds: float | None, is_stopped: Callable[[], bool]) -> None:
    if is_stopped():
        raise Interrupted
    if seconds is not None and waited > seconds:
        raise ImageTimedOut(seconds)


def _helper() -> _Helper:
    try:
        return _idle.pop()
    except IndexError:
        return _Helper()


def _is_done(done: Future[Value]) -> bool:
    with contextlib.suppress(TimeoutError):
        done.exception(_LOOK_SECONDS)
    return done.done()


def _do(action: Callable[[], Value], done: Future[Value]) -> None:
    try:
        value = action()
    except BaseException as error:  # noqa: BLE001 - it is raised again by whoever waits
        done.set_exception(error)
    else:
        done.set_result(value)
