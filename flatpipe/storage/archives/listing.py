"""An archive's members, sorted, each under a name of its own; those that may not be read, with the reason."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from flatpipe.errors import ImageError
from flatpipe.storage.archives.found import Fault, Member
from flatpipe.storage.archives.kinds import ArchiveKind
from flatpipe.storage.archives.names import member_name
from flatpipe.storage.archives.place import ArchiveFile
from flatpipe.storage.archives.sorting import SortedRecords

_MEMBER, _FAULT = "m", "f"
# ^ in a record, behind the name and a NUL: no name holds one, and it sorts before whatever a longer name goes on with


def listed(
    archive: ArchiveFile, kind: ArchiveKind, is_wanted: Callable[[str, bool], bool]
) -> Iterator[Member | Fault | ImageError]:
    """The members whose names are wanted, in the byte order of names, once all are known; at last what is wrong.

    `is_wanted` is told too whether a name is only a number that we gave.

    What is wrong with the archive itself is an ImageError among them. Raises OSError when it cannot be read.
    """
    with contextlib.closing(SortedRecords()) as records:
        trouble: ImageError | None = None
        try:
            for found in kind.members(archive):
                if named := _named(found, is_wanted):
                    records.add(_record(named, kind))
        except ImageError as error:
            trouble = error
        if trouble is not None:
            yield trouble
        yield from _told_apart(map(_found, records))


def _named(found: Member | Fault, is_wanted: Callable[[str, bool], bool]) -> Member | Fault | None:
    """What was found, by the name that it has here, or None when nobody asks for it."""
    name = member_name(found.name)
    if not name.text or not is_wanted(name.text, isinstance(found, Member) and found.is_numbered):
        return None
    if name.refused:
        return Fault(name.text, name.refused)
    if isinstance(found, Fault):
        return Fault(name.text, found.message, found.error)
    return Member(name.text, found.size, found.where)


def _record(found: Member | Fault, kind: ArchiveKind) -> bytes:
    if isinstance(found, Fault):
        text = f"{found.name}\0{_FAULT}{found.error}\0{found.message}"
    else:
        text = f"{found.name}\0{_MEMBER}{found.size}\0{kind.word} {found.where}"
    return text.encode("utf-8", "surrogateescape")


def _found(record: bytes) -> Member | Fault:
    name, first, second = record.decode("utf-8", "surrogateescape").split("\0", 2)
    if first[0] == _FAULT:
        return Fault(name, second, first[1:])
    return Member(name, int(first[1:]), second)


def _told_apart(sorted_members: Iterable[Member | Fault]) -> Iterator[Member | Fault]:
    """One of each name; none of several, and none in a folder that is a file as well."""
    above: list[str] = []
    # ^ names of members that the present one begins with
    for name, group in groupby(sorted_members, lambda found: found.name):
        found, count = _first(group)
        while above and not name.startswith(above[-1]):
            above.pop()
        if count > 1 and isinstance(found, Member):
            found = Fault(name, f"{count:,} members have this name, and which is meant cannot be known")
        elif any(name[len(file)] == "/" for file in above):
            found = Fault(name, "it lies in a folder that is a file too")
        above.append(name)
        yield found


def _first(group: Iterator[Member | Fault]) -> tuple[Member | Fault, int]:
    """The first of a group, and how many there are."""
    first = next(group)
    return first, 1 + sum(1 for _ in group)
