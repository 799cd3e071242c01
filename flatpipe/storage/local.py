"""Outputs on a local, or a mounted, file system. Writes are whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flatpipe.layout import FOLDERS, IMAGES, PARTIAL, partial_name
from flatpipe.storage.name_rules import NameRules, local_rules
from flatpipe.storage.partial import (
    created,
    drop_partials,
    is_about_name,
    move_across,
    put,
    put_folder,
    remove,
    rename,
    within,
)
from flatpipe.system import disks

_LISTINGS = 4
# ^ folders that are listed at the same time: a disk that must be asked, near or far, then has several to answer


class LocalRoot:
    """A folder of the local (or a mounted) file system."""

    def __init__(self, place: str, part: str = "") -> None:
        self.place, self._part = place, part
        self._partial = f"{PARTIAL}/{part}" if part else PARTIAL
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
        self._write_all(name, lambda partial: put(partial, content))

    def add_folder(self, folder: str, files: Mapping[str, bytes]) -> bool:
        """Fill a partial folder, then rename it: one rename where each file would have its own, the dearest of calls.

        What fails here fails again, and is told, when the files are written one by one.
        """
        final, partial = self._path(folder), self._waiting(folder)
        if os.path.lexists(final):
            return False
        try:
            put_folder(partial, files)
            rename(partial, final)
        except OSError:
            remove(partial)
            return False
        except BaseException:
            remove(partial)
            raise
        return True

    def read_range(self, name: str, start: int, size: int) -> bytes:
        """Bytes of a file from one place on, fewer where it ends sooner; raises OSError."""
        with Path(self._path(name)).open("rb", buffering=0) as file:
            file.seek(start)
            blocks = []
            while size > 0 and (block := file.read(size)):
                blocks.append(block)
                size -= len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """Write line by line to a partial file, then rename: any number of lines in little memory; raises OSError."""
        self.write_blocks(name, map(os.fsencode, lines))

    def write_blocks(self, name: str, blocks: Iterable[bytes]) -> None:
        """The same of bytes; what goes wrong in making them leaves what was there."""

        def fill(partial: str) -> None:
            with created(partial) as file:
                file.writelines(blocks)

        self._write_all(name, fill)

    def double(self, name: str, second: str) -> None:
        """Have a file under a second name too, by a link where the file system has such; raises OSError."""
        final = self._path(second)
        try:
            within(final, lambda: os.link(self._path(name), final))
        except FileNotFoundError:
            raise
        except OSError:
            self.store(second, self._path(name))

    def store(self, name: str, local_path: str) -> None:
        """Put a copy of a local file in place, whole or not at all, through a power cut too; raises OSError."""

        def fill(partial: str) -> None:
            with Path(local_path).open("rb") as source, created(partial) as file:
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

    def _waiting(self, name: str) -> str:
        """A new path on the file system of the name, where a file or folder waits until it is whole."""
        return self._path(f"{self._partials.get(name.partition('/')[0], self._partial)}/{partial_name()}")

    def _write_all(self, name: str, fill: Callable[[str], object]) -> None:
        partial = self._waiting(name)
        try:
            fill(partial)
            self._move(partial, name)
        except BaseException:
            remove(partial)
            raise

    def _move(self, partial: str, name: str) -> None:
        try:
            rename(partial, self._path(name))
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._partials[name.partition("/")[0]] = move_across(Path(partial), self.place, name, self._partial)
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

    def folders(self, folder: str) -> list[str]:
        """Names of the folders directly in a folder, sorted; none when there is no such folder; raises OSError."""
        try:
            with os.scandir(self._path(folder)) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []

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
        waiting = self._path(self._partial)
        within(waiting, lambda: os.makedirs(waiting, exist_ok=True))  # noqa: PTH103
        self.probe()

    def probe(self) -> None:
        """Prove that the folder can be written; raises OSError."""
        probe = self._path(f"{self._partial}/{partial_name()}")
        try:
            put(probe, b"flatpipe")
        finally:
            remove(probe)

    def name_rules(self) -> NameRules:
        """What of a name does not count where images are written; raises OSError."""
        return local_rules(self._path(IMAGES))

    def tidy(self) -> None:
        """Drop what is left over from writing; what another has put there stays."""
        for above in ("", *(f"{folder}/" for folder in FOLDERS)):
            drop_partials(self._path(f"{above}{PARTIAL}"), self._part)
        for waiting in self._partials.values():
            drop_partials(self._path(waiting.removesuffix(f"/{self._part}")), self._part)

    def settle(self) -> None:
        """Return when all that was written below the root lies on its disk, or its disks; raises OSError."""
        folders = [folder for name in ("", *FOLDERS) if os.path.isdir(folder := self._path(name))]  # noqa: PTH112
        for folder in {os.stat(folder).st_dev: folder for folder in folders}.values():  # noqa: PTH116
            disks.settle(folder)
