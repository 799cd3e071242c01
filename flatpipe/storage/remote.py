"""A root behind a URL: object stores, and any other file system that fsspec knows.

Credentials and endpoints come from the environment alone, in the words of each store's own tools (AWS_PROFILE,
AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_CONNECTION_STRING ...).
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flatpipe.errors import ConfigError
from flatpipe.layout import PARTIAL, is_partial_name, part_of_name, partial_name
from flatpipe.places import STORES
from flatpipe.storage.name_rules import EXACT, NameRules, found_rules
from flatpipe.storage.store_errors import as_os_errors

_PUTS_WHOLE = frozenset({*STORES, "memory"})
# ^ stores that show an object only when all its bytes are there; the others get a partial file and a rename
_LONGEST_KEY = 1024
# ^ bytes that S3, Google and Azure allow; each says it with an error of its own
_REQUESTS = 32
# ^ listings at the same time while planning: each waits for the network, tens of milliseconds
_OPTIONS: dict[str, dict[str, Any]] = {"s3": {"config_kwargs": {"max_pool_connections": _REQUESTS}}}
_STAMPS = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated", "mtime", "created")
# ^ what tells a replaced object from the old one, the surest first; each store has its own word


def open_filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path within it; raises ConfigError when there is none.

    Listings are not cached: others write where we look. A `::` in a name is a name, not a chain of file systems.
    """
    import fsspec  # late: local files do without it, and it takes a twentieth of a second

    protocol = url.partition("://")[0]
    try:
        kind = fsspec.get_filesystem_class(protocol)
        options = {**_OPTIONS.get(protocol, {}), **kind._get_kwargs_from_urls(url)}
        return kind(use_listings_cache=False, **options), str(kind._strip_protocol(url))
    except ImportError as error:
        extra = STORES.get(protocol)
        what = f"pip install 'flatpipe[{extra}]'" if extra else str(error)
        raise ConfigError(f"{protocol}:// needs a package that is not installed: {what}") from error
    except ValueError as error:
        words = f"{url}: {error}; the protocol must be one that fsspec knows, and credentials in the environment"
        raise ConfigError(words) from error


class RemoteRoot:
    """Files below a URL; a write is one put of complete bytes. Failures are OSErrors that say what to do."""

    def __init__(self, place: str, part: str = "") -> None:
        self.place, self._part = place.rstrip("/"), part
        self._partial = f"{PARTIAL}/{part}" if part else PARTIAL
        self.filesystem, base = open_filesystem(self.place)
        self._base = base.rstrip("/")
        self._puts_whole = self.place.partition("://")[0] in _PUTS_WHOLE

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}".encode("utf-8", "backslashreplace").decode()
        # ^ keys are UTF-8; a file name need not be

    def read(self, name: str) -> bytes:
        """All bytes of a file; raises OSError."""
        with as_os_errors():
            return bytes(self.filesystem.cat_file(self._path(name)))

    def read_range(self, name: str, start: int, size: int) -> bytes:
        """Bytes of a file from one place on, fewer where it ends sooner; raises OSError."""
        with as_os_errors():
            return bytes(self.filesystem.cat_file(self._path(name), start=start, end=start + size))

    def double(self, name: str, second: str) -> None:
        """Have a copy of a file under a second name, made by the store itself; raises OSError."""
        self._put(second, lambda path: self.filesystem.cp_file(self._path(name), path))

    def write(self, name: str, content: bytes) -> None:
        """One put of complete bytes: an object store never shows half of it; raises OSError."""
        self._put(name, lambda path: self.filesystem.pipe_file(path, content))

    def add_folder(self, folder: str, files: Mapping[str, bytes]) -> bool:  # noqa: ARG002 - a store has no folders
        """False: nothing here comes together."""
        return False

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """Put a text file in place, gathered on the local disk: any number of lines in little memory."""
        self.write_blocks(name, map(os.fsencode, lines))

    def write_blocks(self, name: str, blocks: Iterable[bytes]) -> None:
        """The same of bytes; what goes wrong in making them leaves what was there."""
        with tempfile.NamedTemporaryFile(prefix="flatpipe-") as gathered:
            gathered.writelines(blocks)
            gathered.flush()
            self.store(name, gathered.name)

    def store(self, name: str, local_path: str) -> None:
        """Put a copy of a local file in place; raises OSError."""
        self._put(name, lambda path: self.filesystem.put_file(local_path, path))

    def fetch(self, name: str, local_path: str) -> bool:
        """Copy a file to the local disk, whole or not at all; False when there is none; raises OSError."""
        partial = f"{local_path}.{uuid.uuid4().hex}"
        try:
            with as_os_errors():
                self.filesystem.get_file(self._path(name), partial)
            Path(partial).replace(local_path)
        except FileNotFoundError:
            return False
        finally:
            Path(partial).unlink(missing_ok=True)
        return True

    def sizes(self, folder: str) -> dict[str, int]:
        """Sizes in bytes of the files directly in a folder, by name; empty when there is no such folder."""
        try:
            with as_os_errors():
                found = self.filesystem.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return {}
        return {entry["name"].rsplit("/", 1)[-1]: int(entry["size"] or 0) for entry in found if entry["type"] == "file"}

    def folders(self, folder: str) -> list[str]:
        """Names of the folders directly in a folder, sorted; none when there is no such folder; raises OSError."""
        try:
            with as_os_errors():
                found = self.filesystem.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return []
        names = (entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in found if entry["type"] == "directory")
        return sorted(names)

    def sizes_of(self, folders: Sequence[str]) -> dict[str, dict[str, int]]:
        """`sizes` of many folders, by folder, with many requests under way at once."""
        if not folders:
            return {}
        with ThreadPoolExecutor(min(_REQUESTS, len(folders))) as pool:
            return dict(zip(folders, pool.map(self.sizes, folders), strict=True))

    def listing(self) -> list[tuple[str, int, str]]:
        """Name, size in bytes and stamp of every file below the root, in the byte order of names; raises OSError."""
        with as_os_errors():
            found = self.filesystem.find(self._base, detail=True)
        start = len(self._base) + 1
        return sorted(
            ((path[start:], int(details["size"] or 0), _stamp(details)) for path, details in found.items()),
            key=lambda file: file[0].encode(),
        )

    def own_file(self) -> tuple[int, str] | None:
        """Size in bytes and stamp of the file that the URL itself names; None when it names none; raises OSError."""
        try:
            with as_os_errors():
                details = self.filesystem.info(self._base)
        except FileNotFoundError:
            return None
        return (int(details["size"] or 0), _stamp(details)) if details["type"] == "file" else None

    def exists(self) -> bool:
        """Whether the URL itself names a file, or a folder that holds some."""
        with as_os_errors():
            return bool(self.filesystem.exists(self._base))

    def names_like(self, pattern: str) -> list[str]:
        """Names below the root of the files and folders that a glob matches, sorted; raises OSError."""
        with as_os_errors():
            found = self.filesystem.glob(f"{self._base}/{pattern}")
        return sorted(path.rstrip("/")[len(self._base) + 1 :] for path in found)

    def first_file(self, folder: str) -> str:
        """The name of some file in or below a folder; "" when it holds none."""
        with contextlib.suppress(FileNotFoundError), as_os_errors():
            for place, _, files in self.filesystem.walk(self._path(folder)):
                if files:
                    return f"{place.rstrip('/')[len(self._base) + 1 :]}/{min(files)}"
        return ""

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        with contextlib.suppress(FileNotFoundError), as_os_errors():
            self.filesystem.rm_file(self._path(name))

    def prepare(self) -> None:
        """Prove that the place can be written; raises OSError."""
        self.probe()

    def probe(self) -> None:
        """Prove that the place can be written; raises OSError."""
        probe = f"{self._partial}/{partial_name()}"
        try:
            self.write(probe, b"flatpipe")
        except FileNotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, "there is no such bucket or container; make it first") from error
        self.remove(probe)

    def name_rules(self) -> NameRules:
        """What of a name does not count; an object store takes every name as it is. Raises OSError."""
        if self._puts_whole:
            return EXACT
        files, folder = self.filesystem, self._path(PARTIAL)
        with as_os_errors():
            files.makedirs(folder, exist_ok=True)
            rules = found_rules(folder, lambda path: files.pipe_file(path, b""), files.exists, files.rm_file)
        with contextlib.suppress(OSError), as_os_errors():
            files.rmdir(folder)
        return rules

    def tidy(self) -> None:
        """Drop what is left over from writing; an object store has nothing, and what another has put there stays."""
        if self._puts_whole:
            return
        parts = [] if self._part else [f"{PARTIAL}/{name}" for name in self.folders(PARTIAL) if part_of_name(name)]
        for folder in (*parts, self._partial):
            for name in filter(is_partial_name, self.sizes(folder)):
                self.remove(f"{folder}/{name}")
            with contextlib.suppress(OSError), as_os_errors():
                self.filesystem.rmdir(self._path(folder))

    def stamps(self, folders: Sequence[str]) -> dict[str, int]:  # noqa: ARG002 - as local folders have them
        """Nothing: a store has no folders."""
        return {}

    def settle(self) -> None:
        """Nothing to wait for: what a store has taken, it keeps."""

    def _put(self, name: str, put: Callable[[str], object]) -> None:
        with as_os_errors():
            final = self._path(name)
            if len(final.encode()) > _LONGEST_KEY:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            if self._puts_whole:
                put(final)
                return
            partial = self._path(f"{self._partial}/{partial_name()}")
            for path in (partial, final):
                self.filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            put(partial)
            self.filesystem.mv(partial, final)


def _stamp(details: dict[str, Any]) -> str:
    return next((str(details[word]) for word in _STAMPS if details.get(word)), "")
