"""The cache of decoded images."""

from __future__ import annotations

import threading
import time
import weakref
from dataclasses import dataclass

import pytest

from flatpipe.work.cache import ByteBoundedCache


@dataclass
class Held:
    """A value of a known size."""

    nbytes: int


def test_many_threads_ask_and_one_makes() -> None:
    """However many threads ask for a key at once, its value is made once and all get the same one."""
    cache: ByteBoundedCache[Held] = ByteBoundedCache(100)
    made: list[Held] = []
    got: list[Held] = []

    def make() -> Held:
        time.sleep(0.05)
        made.append(Held(1))
        return made[-1]

    threads = [threading.Thread(target=lambda: got.append(cache.get("a", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert all(value is made[0] for value in got)
    assert len(got) == 8


def test_the_least_recently_used_goes_when_room_is_short() -> None:
    """When the bytes held exceed the capacity, the value that was used longest ago is made anew, and no other."""
    cache: ByteBoundedCache[Held] = ByteBoundedCache(100)
    makes: list[str] = []

    def value(key: str) -> Held:
        return cache.get(key, lambda: (makes.append(key), Held(40))[1])

    for key in ("a", "b", "a", "c", "a", "c", "b"):
        value(key)

    assert makes == ["a", "b", "c", "b"]


def test_one_value_larger_than_the_cache_is_still_kept() -> None:
    """The newest value stays even when it alone exceeds the capacity: its image's other ks need it."""
    cache: ByteBoundedCache[Held] = ByteBoundedCache(10)
    makes: list[int] = []

    for _ in range(3):
        cache.get("big", lambda: (makes.append(1), Held(1000))[1])

    assert len(makes) == 1


def test_a_failure_reaches_the_caller_and_is_not_remembered() -> None:
    """What making raises reaches the caller, and the next caller tries again."""
    cache: ByteBoundedCache[Held] = ByteBoundedCache(10)

    def fail() -> Held:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        cache.get("a", fail)

    assert cache.get("a", lambda: Held(3)).nbytes == 3


def test_a_dropped_value_is_made_anew() -> None:
    """After drop, a key is made again."""
    cache: ByteBoundedCache[Held] = ByteBoundedCache(10)
    first = cache.get("a", lambda: Held(1))

    cache.drop("a")

    assert cache.get("a", lambda: Held(1)) is not first


def test_room_is_made_before_a_value_is() -> None:
    """While a value is made no more than the capacity is held: one that alone exceeds it is let go of first."""
    cache: ByteBoundedCache[Held] = ByteBoundedCache(10)
    seen = weakref.ref(cache.get("large", lambda: Held(1000)))
    alive: list[bool] = []
    cache.get("next", lambda: (alive.append(seen() is not None), Held(5))[1])

    assert alive == [False]
