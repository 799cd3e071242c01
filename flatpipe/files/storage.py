"""Where bytes live: a local folder or an fsspec URL, with one face. Writes are whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

PARTIAL = ".partial"
# ^ folder under a local output root where files wait until they are whole: a killed run leaves its leftovers in
#   one place that the next run empties; same file system as the outputs, so the final rename is atomic


def is_url(place: str) -> bool:
    """True for `s3://bucket/x` and the like, False for local paths."""
    return "://" in place and not place.startswith("file://")


class Root(Protocol):
    """A place that holds files under names with "/" between their parts."""

    place: str

    def read(self, name: str) -> bytes:
        """All bytes of a file; raises OSError."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Put a whole file in place, or leave what was there; raises OSError."""
        ...

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """Put a whole text file in place, line by line, each with its own line end; raises OSError."""
        ...

    def sizes(self, folder: str) -> dict[str, int]:
        """Sizes in bytes of the files directly in a folder, by name; empty when there is no such folder."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        ...

    def prepare(self) -> None:
        """Make the root ready for writing and drop leftovers of a killed run; raises OSError."""
        ...

    def tidy(self) -> None:
        """Drop what is left over from writing."""
        ...


def open_root(place: str) -> Root:
    """The Root for an absolute local path or a URL."""
    return RemoteRoot(place) if is_url(place) else LocalRoot(place)


class LocalRoot:
    """A folder of the local (or a mounted) file system."""

    def __init__(self, place: str) -> None:
        self.place = place.removeprefix("file://")

    def _path(self, name: str) -> str:
        return f"{self.place}/{name}"

    def read(self, name: str) -> bytes:
        """All bytes of a file; raises OSError."""
        return Path(self._path(name)).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write to a unique partial file, then rename; raises OSError and leaves no partial file behind.

        There is no fsync: after a power cut a file may be short, and the next run sees that by its size.
        """
        self._write_all(name, (content,))

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """Write line by line to a partial file, then rename: any number of lines in little memory; raises OSError."""
        self._write_all(name, (os.fsencode(line) for line in lines))

    def _write_all(self, name: str, parts: Iterable[bytes]) -> None:
        partial = Path(f"{self.place}/{PARTIAL}/{uuid.uuid4().hex}")
        try:
            with _created(partial) as file:
                file.writelines(parts)
            _move(partial, self._path(name))
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def sizes(self, folder: str) -> dict[str, int]:
        """Sizes in bytes of the files directly in a folder, by name; empty when there is no such folder."""
        try:
            with os.scandir(self._path(folder)) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        except (FileNotFoundError, NotADirectoryError):
            return {}

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        Path(self._path(name)).unlink(missing_ok=True)

    def prepare(self) -> None:
        """Make the folder, prove that it can be written, drop a killed run's partial files; raises OSError."""
        self.tidy()
        os.makedirs(f"{self.place}/{PARTIAL}")  # noqa: PTH103
        probe = f"{self.place}/{PARTIAL}/probe"
        with open(probe, "xb") as file:  # noqa: PTH123
            file.write(b"flatpipe")
        Path(probe).unlink()

    def tidy(self) -> None:
        """Drop what is left over from writing."""
        shutil.rmtree(f"{self.place}/{PARTIAL}", ignore_errors=True)


def _created(partial: Path) -> BinaryIO:
    try:
        return partial.open("xb")
    except FileNotFoundError:
        partial.parent.mkdir(parents=True, exist_ok=True)
        return partial.open("xb")


def _move(partial: Path, final: str) -> None:
    try:
        partial.replace(final)
    except FileNotFoundError:
        Path(final).parent.mkdir(parents=True, exist_ok=True)
        partial.replace(final)


class RemoteRoot:
    """An object store, or any other fsspec file system: one put of complete bytes, credentials from the environment."""

    def __init__(self, place: str) -> None:
        import fsspec

        self.place = place.rstrip("/")
        self.filesystem, self._base = fsspec.core.url_to_fs(self.place)
        self._base = self._base.rstrip("/")

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}"

    def read(self, name: str) -> bytes:
        """All bytes of a file; raises OSError."""
        return bytes(self.filesystem.cat_file(self._path(name)))

    def write(self, name: str, content: bytes) -> None:
        """One put of complete bytes: an object store never shows half of it; raises OSError."""
        self.filesystem.pipe_file(self._path(name), content)

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """One put of the joined lines; raises OSError."""
        self.write(name, b"".join(os.fsencode(line) for line in lines))

    def sizes(self, folder: str) -> dict[str, int]:
        """Sizes in bytes of the files directly in a folder, by name; empty when there is no such folder."""
        self.filesystem.invalidate_cache()
        try:
            found = self.filesystem.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return {}
        return {entry["name"].rsplit("/", 1)[-1]: int(entry["size"] or 0) for entry in found if entry["type"] == "file"}

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        try:
            self.filesystem.rm_file(self._path(name))
        except FileNotFoundError:
            return

    def prepare(self) -> None:
        """Prove that the place can be written; raises OSError."""
        self.write(f"{PARTIAL}/probe", b"flatpipe")
        self.remove(f"{PARTIAL}/probe")

    def tidy(self) -> None:
        """Nothing is left over: a put is whole or not at all."""


def read_file(path: str) -> bytes:
    """All bytes of one local file or URL; raises OSError."""
    if not is_url(path):
        return Path(path).read_bytes()
    folder, _, name = path.rpartition("/")
    return RemoteRoot(folder).read(name)
