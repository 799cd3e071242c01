"""Work in another thread: waited for as long as it may take, and left when it takes longer or is not wanted."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable

import numpy as np
import pytest
from waiting import wait_for

from flatpipe.errors import DecoderFailed, ImageTimedOut
from flatpipe.stop import is_work_left
from flatpipe.work import watchdog
from flatpipe.work.watchdog import Interrupted, in_time


def never() -> bool:
    """Nobody asks to stop."""
    return False


def test_what_an_action_does_comes_back() -> None:
    """Its value is returned, and what it raises is raised, errors that look like a waiter's own included."""
    assert in_time(lambda: 7, None, never) == 7
    for error in (DecoderFailed("damaged"), TimeoutError("the server's")):
        with pytest.raises(type(error)) as raised:
            in_time(raising(error), None, never)
        assert raised.value is error


def raising(error: Exception) -> Callable[[], None]:
    """An action that raises it."""

    def action() -> None:
        raise error

    return action


def test_a_thread_serves_many() -> None:
    """One action after another is done by the same thread, which is not the caller's."""
    threads = {in_time(threading.get_ident, 60, never) for _ in range(20)}

    assert len(threads) == 1
    assert threads != {threading.get_ident()}


@pytest.mark.parametrize(("seconds", "asked", "error"), [(0.05, False, ImageTimedOut), (None, True, Interrupted)])
def test_what_takes_too_long_is_left(seconds: float | None, asked: bool, error: type[Exception]) -> None:
    """After its time, or when a stop is asked for, the caller goes on; the thread counts as work left until it ends."""
    go = threading.Event()
    with pytest.raises(error):
        in_time(lambda: go.wait(60), seconds, lambda: asked)
    assert in_time(lambda: "the next", 60, never) == "the next"
    assert is_work_left()

    go.set()
    wait_for(lambda: not is_work_left())


def test_an_idle_thread_holds_on_to_nothing() -> None:
    """What an action made is freed as soon as its caller lets go of it: it may be an image of 200 megapixels."""
    pixels = in_time(lambda: np.zeros(1000), None, never)
    watched = weakref.ref(pixels)
    del pixels
    gc.collect()

    assert watched() is None


def test_a_forked_process_starts_threads_of_its_own() -> None:
    """Threads that this process keeps are not there in one that is forked from it."""
    in_time(lambda: 1, None, never)
    assert watchdog._idle
    forked = os.fork()
    if not forked:
        os._exit(in_time(lambda: 7, 60, never))

    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 7
