"""Tar files: their members, and the bytes of one, which lie in one piece."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator

from flatpipe.errors import ImageError, TruncatedImage
from flatpipe.storage.archives.found import Fault, Member
from flatpipe.storage.archives.place import ArchiveFile
from flatpipe.storage.archives.streams import Forward, Plain
from flatpipe.storage.archives.tar_headers import Header, headers

_NO_FILE = {
    tarfile.SYMTYPE: "a symbolic link in an archive, which is not followed",
    tarfile.FIFOTYPE: "a pipe in an archive",
    tarfile.CHRTYPE: "a device in an archive",
    tarfile.BLKTYPE: "a device in an archive",
}


def tar_members(archive: ArchiveFile) -> Iterator[Member | Fault]:
    """What a tar file holds; raises OSError, and an ImageError after what is whole."""
    with archive.opened() as file:
        yield from members_of(lambda: Plain(file))


def read_tar(archive: ArchiveFile, where: str, size: int) -> bytes:
    """The bytes of a member; raises OSError, and TruncatedImage where the archive ends before it does."""
    content = archive.read_at(int(where), size)
    if len(content) < size:
        raise TruncatedImage("the archive ends within it")
    return content


def members_of(begin: Callable[[], Forward]) -> Iterator[Member | Fault]:
    """What the tar file of a stream holds, each hard link as the member it leads to.

    `begin` gives the stream from its beginning: where there are hard links, it is gone through a second time.
    """
    targets: set[str] = set()
    trouble: ImageError | None = None
    try:
        for header in headers(begin()):
            if header.kind == tarfile.LNKTYPE:
                targets.add(header.target)
            elif header.kind != tarfile.DIRTYPE:
                yield _found(header)
    except ImageError as error:
        trouble = error
    if targets:
        yield from _linked(begin(), targets)
    if trouble is not None:
        raise trouble


def _found(header: Header) -> Member | Fault:
    if header.is_sparse:
        return Fault(header.name, "a sparse file in an archive, which is not read")
    if header.kind in tarfile.REGULAR_TYPES:
        return Member(header.name, header.size, str(header.start))
    return Fault(header.name, _NO_FILE.get(header.kind, f"a member of a kind that is not read ({header.kind!r})"))


def _linked(stream: Forward, targets: set[str]) -> Iterator[Member | Fault]:
    """The hard links, each with the bytes of the member before it that has its target's name."""
    known: dict[str, Member | Fault] = {}
    try:
        for header in headers(stream):
            if header.kind != tarfile.LNKTYPE:
                found = _found(header)
            elif target := known.get(header.target):
                found = _renamed(target, header.name)
                yield found
            else:
                found = Fault(header.name, f"a hard link to {header.target}, which is no member before it")
                yield found
            if header.name in targets:
                known[header.name] = found
    except ImageError:
        return
        # ^ the same that the first pass has met


def _renamed(target: Member | Fault, name: str) -> Member | Fault:
    if isinstance(target, Fault):
        return Fault(name, f"a hard link to what is not read: {target.message}", target.error)
    return Member(name, target.size, target.where)
