"""A value that several tasks need: made once, waited for, made anew after a failure."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from flatpipe.work.once import Once


def test_whoever_asks_at_the_same_time_waits_for_the_one_that_makes_it() -> None:
    """Eight threads get the very same object, made once."""
    made = []

    def make() -> object:
        time.sleep(0.05)
        made.append(threading.get_ident())
        return object()

    once = Once(make)
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda _: once.get(), range(8)))

    assert len(set(map(id, values))) == len(made) == 1


def test_a_failure_reaches_who_asked_and_the_next_tries_again() -> None:
    """What could not be made is not remembered, and peeking makes nothing."""
    answers = [OSError("no"), "made"]

    def make() -> str:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return str(answer)

    once = Once(make)
    assert once.peek() is None
    with pytest.raises(OSError, match="no"):
        once.get()
    assert once.peek() is None
    assert once.get() == once.peek() == once.get() == "made"
