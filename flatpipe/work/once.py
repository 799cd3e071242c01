"""A value that several tasks need and one of them makes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Once(Generic[Value]):
    """What `make` returns, made when it is first asked for; whoever asks meanwhile waits.

    What `make` raises reaches the one who asked, and the next to ask has it made anew.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[Value] = []

    def get(self) -> Value:
        """The value."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def peek(self) -> Value | None:
        """The value if it is made; nobody waits for it."""
        return self._made[0] if self._made else None
