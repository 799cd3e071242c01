"""The kinds of archives that are read, by the suffixes of their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flatpipe import layout
from flatpipe.places import READ_ONLY_PROTOCOLS, is_url, name_of_url
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
_FRAME_DIGITS = 3
# ^ at least, in the id of a file's frame

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
    """The name of an image in its archive, without the number of its frame and what tells it apart; "" of a file.

    What stands before it in the id is the end of the archive's place, perhaps marked; of several such the longest,
    because a folder may be called as the archive in it.
    """
    if not is_archive(name_at(source.path)):
        return ""
    parts, place = _parts_of(source), _place_of(source.path).split("/")
    for depth in range(len(parts) - 1, 0, -1):
        *folders, archive = parts[:depth]
        if [*folders, layout.unmarked(archive)] == place[-depth:] or parts[:depth] == place[-depth:]:
            return "/".join(parts[depth:])
    return ""


def _parts_of(source: ImageSource) -> list[str]:
    before, sign, frame = source.image_id.rpartition("#")
    is_frame = sign and len(frame) >= _FRAME_DIGITS and frame == f"{source.frame + 1:0{len(frame)}d}"
    return layout.unmarked(before if is_frame else source.image_id).split("/")


def _place_of(path: str) -> str:
    """A place as ids have it: without protocol, and what a web server is asked beside it."""
    protocol, is_one, rest = path.partition("://")
    if not is_one or not is_url(path):
        return path
    return rest.partition("?")[0] if protocol in READ_ONLY_PROTOCOLS else rest


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
