"""The files of one image on their way to the output: put in place one by one, or held until a new image has all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from flatpipe.errors import ImageIOFailed
from flatpipe.storage.partial import is_about_name
from flatpipe.storage.roots import Root
from flatpipe.work.retry import with_retries

_MOST_HELD = 8 << 20
# ^ bytes of an image that is held: those of a photograph of a megapixel; larger ones take longer to make than to write


class OutputFailed(ImageIOFailed):
    """An output could not be written: the next image would fare alike."""


class ImageFiles(Protocol):
    """Where an image's files go, under names below the output root; raises ImageIOFailed, reading OSError."""

    @property
    def folder(self) -> str:
        """Of the image, in those names."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Take a whole file."""
        ...

    def read(self, name: str) -> bytes:
        """All bytes of a file that was taken."""
        ...

    def put_in_place(self) -> None:
        """Put in place what waits, where anything does."""
        ...

    def begin_again(self) -> None:
        """Drop what was taken and is not in place: all of it is written once more."""
        ...


@dataclass(slots=True)
class ImageOutputs:
    """Writes and reads an image's files by their names below the root; raises ImageIOFailed, reads OSError."""

    opened: Callable[[], Root]
    folder: str
    # ^ of the image
    retries: int
    holds: bool = False
    # ^ whether files of the folder wait for `put_in_place`, which whoever sets it must call
    _held: dict[str, bytes] = field(default_factory=dict)

    @property
    def root(self) -> Root:
        """Where they go; raises what opening it does."""
        return self.opened()

    def write(self, name: str, content: bytes) -> None:
        """Put a whole file in place, or hold it."""
        folder, _, own = name.rpartition("/")
        if not self.holds or folder != self.folder:
            self._write(name, content)
            return
        self._held[own] = content
        if sum(map(len, self._held.values())) > _MOST_HELD:
            self.put_in_place()

    def read(self, name: str) -> bytes:
        """All bytes of a file that was written."""
        folder, _, own = name.rpartition("/")
        if folder == self.folder and own in self._held:
            return self._held[own]
        return with_retries(lambda: self.root.read(name), self.retries)

    def put_in_place(self) -> None:
        """Put what is held in place: with the image's folder, where that is new."""
        files, self._held = self._held, {}
        if files and not self.root.add_folder(self.folder, files):
            for own, content in files.items():
                self._write(f"{self.folder}/{own}", content)

    def begin_again(self) -> None:
        """Drop what is held; what is in place is written over."""
        self._held.clear()

    def _write(self, name: str, content: bytes) -> None:
        try:
            with_retries(lambda: self.root.write(name, content), self.retries)
        except OSError as error:
            if _is_its_name(self.root, error):
                raise ImageIOFailed(f"{not_written(name, error)}, though others of other names are") from error
            raise OutputFailed(not_written(name, error)) from error


def not_written(name: str, error: OSError) -> str:
    """That a file could not be written, and why."""
    return f"{name} could not be written: {error.strerror or error}"


def _is_its_name(root: Root, error: OSError) -> bool:
    """Whether the output takes other names than the one that it has refused."""
    if is_about_name(error):
        with contextlib.suppress(OSError):
            root.probe()
            return True
    return False
