"""Files that are written by way of a notebook: name, digest and size of each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flatpipe.storage.roots import Files


@dataclass(frozen=True, slots=True)
class Noted:
    """One file as it was written."""

    sha256: str
    bytes: int


@dataclass(slots=True)
class NotingFiles:
    """The files of a root; what is written or removed here is noted."""

    files: Files
    noted: dict[str, Noted] = field(default_factory=dict)
    # ^ by name
    removed: set[str] = field(default_factory=set)

    @property
    def place(self) -> str:
        """That of the root."""
        return self.files.place

    def read(self, name: str) -> bytes:
        """All bytes of a file; raises OSError."""
        return self.files.read(name)

    def sizes(self, folder: str) -> dict[str, int]:
        """Sizes in bytes of the files directly in a folder, by name."""
        return self.files.sizes(folder)

    def write(self, name: str, content: bytes) -> None:
        """Put a whole file in place; raises OSError."""
        self.files.write(name, content)
        self._note(name, Noted(hashlib.sha256(content).hexdigest(), len(content)))

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """Put a whole text file in place, line by line; raises OSError."""
        digest, size = hashlib.sha256(), 0

        def digested() -> Iterator[str]:
            nonlocal size
            for line in lines:
                content = os.fsencode(line)
                digest.update(content)
                size += len(content)
                yield line

        self.files.write_lines(name, digested())
        self._note(name, Noted(digest.hexdigest(), size))

    def store(self, name: str, local_path: str) -> None:
        """Put a copy of a local file in place, whole or not at all; raises OSError."""
        with Path(local_path).open("rb") as file:
            noted = Noted(hashlib.file_digest(file, "sha256").hexdigest(), file.tell())
        self.files.store(name, local_path)
        self._note(name, noted)

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        self.files.remove(name)
        self.noted.pop(name, None)
        self.removed.add(name)

    def _note(self, name: str, noted: Noted) -> None:
        self.noted[name] = noted
        self.removed.discard(name)
