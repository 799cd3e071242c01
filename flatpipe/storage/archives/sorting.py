"""Records in their order, however many there are: those that do not fit into little memory wait on disk."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from typing import IO

_IN_MEMORY = 200_000
# ^ records of about a hundred bytes
_LENGTH_BYTES = 4


class SortedRecords:
    """Byte strings, given back sorted; close it after use."""

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._most = in_memory
        self._at_hand: list[bytes] = []
        self._on_disk: list[IO[bytes]] = []

    def add(self, record: bytes) -> None:
        """Take one in; raises OSError where the disk for temporary files is full."""
        self._at_hand.append(record)
        if len(self._at_hand) >= self._most:
            self._put_away()

    def __iter__(self) -> Iterator[bytes]:
        """All of them, sorted."""
        self._at_hand.sort()
        return heapq.merge(*map(_read, self._on_disk), self._at_hand)

    def close(self) -> None:
        """Drop them."""
        for file in self._on_disk:
            file.close()

    def _put_away(self) -> None:
        file = tempfile.TemporaryFile(prefix="flatpipe-")  # noqa: SIM115 - open until `close`
        self._on_disk.append(file)
        file.writelines(len(record).to_bytes(_LENGTH_BYTES, "big") + record for record in sorted(self._at_hand))
        self._at_hand.clear()


def _read(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while length := file.read(_LENGTH_BYTES):
        yield file.read(int.from_bytes(length, "big"))
