"""The kinds of archives that are read, by the suffixes of their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flatpipe.places import is_url, name_of_url
from flatpipe.records import ImageSource
from flatpipe.storage.archives.found import Fault, Member
from flatpipe.storage.archives.gzipped_tar import gzipped_members, read_gzipped
from flatpipe.storage.archives.parquet import column_within, parquet_members, read_parquet
from flatpipe.storage.archives.place import ArchiveFile
from flatpipe.storage.archives.tar import read_tar, tar_members
from flatpipe.storage.archives.zip import read_zip, zip_members


@dataclass(frozen=True, slots=True)
class ArchiveKind:
    """How archives of one kind are listed and read."""

    word: str
    # ^ the first of each ImageSource.part
    suffixes: tuple[str, ...]
    # ^ in lower case
    members: Callable[[ArchiveFile], Iterator[Member | Fault]]
    # ^ what an archive holds, in any order, names as they are; raises OSError, and an ImageError after what is whole
    read: Callable[[ArchiveFile, str, int], bytes]
    # ^ the bytes of a member by its `where` and `size`; raises OSError, and an ImageError for what is damaged


_ROW = "row"

KINDS = (
    ArchiveKind("tar", (".tar", ".cbt"), tar_members, read_tar),
    ArchiveKind("tar.gz", (".tar.gz", ".tgz"), gzipped_members, read_gzipped),
    ArchiveKind("zip", (".zip", ".cbz"), zip_members, read_zip),
    ArchiveKind(_ROW, (".parquet",), parquet_members, read_parquet),
)
_BY_WORD = {kind.word: kind for kind in KINDS}
SUFFIXES = tuple(suffix for kind in KINDS for suffix in kind.suffixes)


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive that is read."""
    return name.lower().endswith(SUFFIXES)


def name_at(place: str) -> str:
    """The name of the file at a local path or URL."""
    return name_of_url(place) if is_url(place) else place.rpartition("/")[2]


def name_within(source: ImageSource) -> str:
    """The name of an image in its archive, whatever stands before the archive's in its id; "" of a file."""
    archive = name_at(source.path)
    return source.image_id.partition(f"{archive}/")[2] if is_archive(archive) else ""


def kind_of(name: str) -> ArchiveKind:
    """The kind of an archive, by its name."""
    return next(kind for kind in KINDS if name.lower().endswith(kind.suffixes))


def column_of(part: str) -> str | None:
    """The column that a row of a table is of, by its ImageSource.part; None for a member of any other archive."""
    word, _, where = part.partition(" ")
    return column_within(where) if word == _ROW else None


def read_member(archive: ArchiveFile, part: str, size: int) -> bytes:
    """The bytes of one member, named by its ImageSource.part.

    Raises OSError, and an ImageError for what is damaged.
    """
    word, _, where = part.partition(" ")
    return _BY_WORD[word].read(archive, where, size)
