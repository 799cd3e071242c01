"""Decoded images per process: bounded in bytes, and each image decoded once however many threads ask for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Anything that knows how many bytes it holds."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...


Value = TypeVar("Value", bound=Sized)


class ByteBoundedCache(Generic[Value]):
    """A memo of a pure, costly read. The least recently used go when the bytes held exceed the capacity."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        # ^ bytes; the newest value stays even when it alone exceeds them
        self._futures: OrderedDict[Hashable, Future[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value for key, made by one thread at a time; what `make` raises reaches everyone who waits for it."""
        with self._lock:
            future = self._futures.get(key)
            is_mine = future is None
            if future is None:
                future = self._futures[key] = Future()
            self._futures.move_to_end(key)
        if is_mine:
            self._fill(key, future, make)
        return future.result()

    def drop(self, key: Hashable) -> None:
        """Forget a value; its memory goes when the last user lets go of it."""
        with self._lock:
            self._futures.pop(key, None)

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._futures.clear()

    def _fill(self, key: Hashable, future: Future[Value], make: Callable[[], Value]) -> None:
        self._make_room(newest=key)
        # ^ before it takes any: what is made may be large, and beside it no more than the capacity is held
        try:
            value = make()
        except BaseException as error:
            self.drop(key)
            future.set_exception(error)
            raise
        future.set_result(value)
        self._make_room(newest=key)

    def _make_room(self, newest: Hashable) -> None:
        with self._lock:
            held = {key: future.result().nbytes for key, future in self._futures.items() if future.done()}
            excess = sum(held.values()) - self.capacity
            for key, size in held.items():
                if excess <= 0:
                    return
                if key != newest:
                    del self._futures[key]
                    excess -= size
