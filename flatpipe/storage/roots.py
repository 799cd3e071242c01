"""Where bytes live: a local folder or an fsspec URL, with one face. Writes are whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Protocol

from flatpipe import disks
from flatpipe.layout import FOLDERS, IMAGES, PARTIAL, partial_name
from flatpipe.places import is_url
from flatpipe.storage.name_rules import NameRules, local_rules
from flatpipe.storage.partial import created, drop_partials, is_about_name, move_across, rename
from flatpipe.storage.remote import RemoteRoot

_LISTINGS = 4
# ^ folders that are listed at the same time: a disk that must be asked, near or far, then has several to answer


class Files(Protocol):
    """What is read and written under names with "/" between their parts: all that a report needs to know of a root."""

    @property
    def place(self) -> str:
        """An absolute local path or a URL."""
        ...

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


class Root(Files, Protocol):
    """A place for outputs."""

    def sizes_of(self, folders: Sequence[str]) -> dict[str, dict[str, int]]:
        """`sizes` of many folders, by folder: where each question crosses a network, they are asked together."""
        ...

    def stamps(self, folders: Sequence[str]) -> dict[str, int]:
        """What changes when a file comes to or leaves a folder, by folder; empty where the place has no such thing."""
        ...

    def store(self, name: str, local_path: str) -> None:
        """Put a copy of a local file in place, whole or not at all; raises OSError."""
        ...

    def fetch(self, name: str, local_path: str) -> bool:
        """Copy a file to the local disk, whole or not at all; False when there is none; raises OSError."""
        ...

    def first_file(self, folder: str) -> str:
        """The name of some file in or below a folder; "" when it holds none."""
        ...

    def prepare(self) -> None:
        """Make the root ready for writing and drop leftovers of a killed run; raises OSError."""
        ...

    def probe(self) -> None:
        """Prove that the root can be written; raises OSError."""
        ...

    def name_rules(self) -> NameRules:
        """What of a name does not count where images are written; raises OSError."""
        ...

    def tidy(self) -> None:
        """Drop what is left over from writing; what another has put there stays."""
        ...

    def settle(self) -> None:
        """Return when no power cut can take away what was written; raises OSError."""
        ...


def open_root(place: str) -> Root:
    """The Root for an absolute local path or a URL."""
    return RemoteRoot(place) if is_url(place) else LocalRoot(place)


class LocalRoot:
    """A folder of the local (or a mounted) file system."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._partials: dict[str, str] = {}
        # ^ folders of partial files on other file systems, by the first part of the names whose files lie there

    def _path(self, name: str) -> str:
        return f"{self.place}/{name}"

    def read(self, name: str) -> bytes:
        """All bytes of a file; raises OSError."""
        return Path(self._path(name)).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write to a unique partial file, then rename; raises OSError and leaves no partial file behind.

        There is no fsync, which would wait for the disk at every file: `settle` waits once for many.
        """
        self._write_all(name, lambda file: file.write(content))

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """Write line by line to a partial file, then rename: any number of lines in little memory; raises OSError."""
        self._write_all(name, lambda file: file.writelines(os.fsencode(line) for line in lines))

    def store(self, name: str, local_path: str) -> None:
        """Put a copy of a local file in place, whole or not at all, through a power cut too; raises OSError."""

        def fill(file: BinaryIO) -> None:
            with Path(local_path).open("rb") as source:
                shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())

        self._write_all(name, fill)

    def fetch(self, name: str, local_path: str) -> bool:
        """Copy a file, whole or not at all; False when there is none; raises OSError."""
        if not Path(self._path(name)).exists():
            return False
        partial = Path(f"{local_path}.{uuid.uuid4().hex}")
        try:
            shutil.copyfile(self._path(name), partial)
            partial.replace(local_path)
        finally:
            partial.unlink(missing_ok=True)
        return True

    def _write_all(self, name: str, fill: Callable[[BinaryIO], object]) -> None:
        waiting = self._partials.get(name.partition("/")[0], PARTIAL)
        partial = Path(self._path(f"{waiting}/{partial_name()}"))
        try:
            with created(partial) as file:
                fill(file)
            self._move(partial, name)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def _move(self, partial: Path, name: str) -> None:
        try:
            rename(partial, Path(self._path(name)))
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._partials[name.partition("/")[0]] = move_across(partial, self.place, name)
            # ^ the next file waits there from the start

    def sizes(self, folder: str) -> dict[str, int]:
        """Sizes in bytes of the files directly in a folder, by name; empty when there is no such folder."""
        try:
            opened = os.open(self._path(folder), os.O_RDONLY | os.O_DIRECTORY)
            # ^ from an open folder each file is found by its name alone, not by its whole path
        except OSError as error:
            if isinstance(error, FileNotFoundError) or is_about_name(error):
                return {}
            raise
        try:
            with os.scandir(opened) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        finally:
            os.close(opened)

    def first_file(self, folder: str) -> str:
        """The name of some file in or below a folder; "" when it holds none."""
        for place, _, files in os.walk(self._path(folder)):
            if files:
                return os.path.relpath(f"{place}/{min(files)}", self.place)
        return ""

    def sizes_of(self, folders: Sequence[str]) -> dict[str, dict[str, int]]:
        """`sizes` of many folders, by folder, with several disk accesses under way at once."""
        if not folders:
            return {}
        with ThreadPoolExecutor(_LISTINGS) as pool:
            parts = [folders[first::_LISTINGS] for first in range(_LISTINGS)]
            listed = pool.map(lambda part: {folder: self.sizes(folder) for folder in part}, parts)
            return {folder: sizes for part in listed for folder, sizes in part.items()}

    def stamps(self, folders: Sequence[str]) -> dict[str, int]:
        """When a file last came to or left a folder, by folder: its mtime in nanoseconds."""
        found = {}
        for folder in folders:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                found[folder] = os.stat(self._path(folder)).st_mtime_ns  # noqa: PTH116
        return found

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        Path(self._path(name)).unlink(missing_ok=True)

    def prepare(self) -> None:
        """Make the folder, prove that it can be written, drop a killed run's partial files; raises OSError."""
        self.tidy()
        os.makedirs(f"{self.place}/{PARTIAL}", exist_ok=True)  # noqa: PTH103
        self.probe()

    def probe(self) -> None:
        """Prove that the folder can be written; raises OSError."""
        probe = Path(self._path(f"{PARTIAL}/{partial_name()}"))
        try:
            with created(probe) as file:
                file.write(b"flatpipe")
        finally:
            probe.unlink(missing_ok=True)

    def name_rules(self) -> NameRules:
        """What of a name does not count where images are written; raises OSError."""
        return local_rules(self._path(IMAGES))

    def tidy(self) -> None:
        """Drop what is left over from writing; what another has put there stays."""
        for above in ("", *(f"{folder}/" for folder in FOLDERS)):
            drop_partials(self._path(f"{above}{PARTIAL}"))
        for waiting in self._partials.values():
            drop_partials(self._path(waiting))

    def settle(self) -> None:
        """Return when all that was written below the root lies on its disk, or its disks; raises OSError."""
        folders = [folder for name in ("", *FOLDERS) if os.path.isdir(folder := self._path(name))]  # noqa: PTH112
        for folder in {os.stat(folder).st_dev: folder for folder in folders}.values():  # noqa: PTH116
            disks.settle(folder)
