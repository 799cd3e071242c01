"""Bytes from front to back, with the place of whatever is missing."""

from __future__ import annotations

import struct
from typing import Any

from flatpipe.errors import ConfigError
from flatpipe.text import counted


class Stream:
    """Bytes that are taken from the front; raises ConfigError, with the offset, where they end too soon."""

    def __init__(self, content: bytes, at: int = 0, end: int | None = None) -> None:
        self._content = content
        self.at = at
        self._end = len(content) if end is None else end

    @property
    def left(self) -> int:
        """Bytes that have not been taken."""
        return self._end - self.at

    def take(self, size: int, what: str) -> bytes:
        """The next bytes, so many; `what` says what they are."""
        if size > self.left:
            missing = counted(size - self.left, "byte")
            raise ConfigError(f"byte {self.at:,}: {what} is cut off, {missing} short")
        self.at += size
        return self._content[self.at - size : self.at]

    def numbers(self, form: str, what: str) -> tuple[Any, ...]:
        """The next numbers, in the words of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form), what))

    def part(self, size: int, what: str) -> Stream:
        """The next bytes, so many, as a stream that ends with them."""
        start = self.at
        self.take(size, what)
        return Stream(self._content, start, self.at)

    def utf16(self, units: int) -> str:
        """The next units of 16 bits as text without its closing zeros; what is broken reads as U+FFFD."""
        return self.take(2 * units, "a name").decode("utf-16-be", "replace").rstrip("\0")
