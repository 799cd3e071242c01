"""Where bytes live: a local folder or an fsspec URL, with one face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from flatpipe.places import is_url
from flatpipe.storage.local import LocalRoot
from flatpipe.storage.name_rules import NameRules
from flatpipe.storage.remote import RemoteRoot


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

    def store(self, name: str, local_path: str) -> None:
        """Put a copy of a local file in place, whole or not at all; raises OSError."""
        ...

    def sizes(self, folder: str) -> dict[str, int]:
        """Sizes in bytes of the files directly in a folder, by name; empty when there is no such folder."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        ...


class Root(Files, Protocol):
    """A place for outputs."""

    def folders(self, folder: str) -> list[str]:
        """Names of the folders directly in a folder, sorted; none when there is no such folder; raises OSError."""
        ...

    def sizes_of(self, folders: Sequence[str]) -> dict[str, dict[str, int]]:
        """`sizes` of many folders, by folder: where each question crosses a network, they are asked together."""
        ...

    def stamps(self, folders: Sequence[str]) -> dict[str, int]:
        """What changes when a file comes to or leaves a folder, by folder; empty where the place has no such thing."""
        ...

    def read_range(self, name: str, start: int, size: int) -> bytes:
        """Bytes of a file from one place on, fewer where it ends sooner; raises OSError."""
        ...

    def write_blocks(self, name: str, blocks: Iterable[bytes]) -> None:
        """Put a whole file in place, block by block; whatever is raised by `blocks` leaves what was there."""
        ...

    def double(self, name: str, second: str) -> None:
        """Have a file, whole or not at all, under a second name that nobody has yet; raises OSError."""
        ...

    def add_folder(self, folder: str, files: Mapping[str, bytes]) -> bool:
        """Put files in place together, by their names in a folder that is new with them; False, and none is, else."""
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


def open_root(place: str, part: str = "") -> Root:
    """The Root for an absolute local path or a URL.

    What a `part` of a run writes waits in a folder of that name, and it drops nothing that others left; without one,
    what any part has left is dropped too.
    """
    return RemoteRoot(place, part) if is_url(place) else LocalRoot(place, part)


def sizes_of_files(root: Root, names: Iterable[str]) -> dict[str, int]:
    """Sizes in bytes of those of some files that are there, by name: one listing of each folder; raises OSError."""
    places = {name: name.rpartition("/") for name in names}
    there = root.sizes_of(sorted({folder for folder, _, _ in places.values()}))
    return {name: there[folder][own] for name, (folder, _, own) in places.items() if own in there.get(folder, {})}
