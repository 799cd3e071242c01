"""What lies at the places of a list: files, folders and archives, asked for many at once."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from flatpipe.places import READ_ONLY_PROTOCOLS, is_url, name_of_url
from flatpipe.records import Failure, ImageSource, RefusedFile
from flatpipe.storage.archives.kinds import is_archive
from flatpipe.storage.asked import unreadable
from flatpipe.storage.discover import NOT_REGULAR, stamp_of
from flatpipe.storage.remote import RemoteRoot
from flatpipe.storage.several.entries import Entry

_AT_ONCE = 4096
# ^ entries that are looked up together
_LOCAL, _REMOTE = 4, 32
# ^ threads that wait for disks, and for stores


@dataclass(frozen=True, slots=True)
class Searched:
    """An entry that holds images: a folder or an archive."""

    entry: Entry


Found = ImageSource | RefusedFile | Searched


def looked_up(entries: Iterable[Entry | RefusedFile]) -> Iterator[Found]:
    """What each entry is, in any order; one that is not there, or cannot be asked for, is refused.

    Web servers are not asked: a million questions would take hours. Raises ConfigError where a package is missing.
    """
    waiting = iter(entries)
    with ThreadPoolExecutor(_LOCAL) as local, ThreadPoolExecutor(_REMOTE) as remote:
        while batch := list(islice(waiting, _AT_ONCE)):
            there = [one for one in batch if isinstance(one, Entry)]
            yield from (one for one in batch if isinstance(one, RefusedFile))
            yield from (_on_the_web(one) for one in there if _is_web(one))
            yield from _each(local, _LOCAL, _local, [one for one in there if not is_url(one.place)])
            yield from _each(
                remote, _REMOTE, _in_store, [one for one in there if is_url(one.place) and not _is_web(one)]
            )


def _each(
    pool: ThreadPoolExecutor, threads: int, look: Callable[[Entry], Found], entries: list[Entry]
) -> Iterator[Found]:
    parts = [entries[first::threads] for first in range(min(threads, len(entries)))]
    for found in pool.map(lambda part: list(map(look, part)), parts):
        yield from found


def _is_web(entry: Entry) -> bool:
    return entry.place.partition("://")[0] in READ_ONLY_PROTOCOLS and is_url(entry.place)


def _on_the_web(entry: Entry) -> Found:
    if entry.place.endswith("/") or is_archive(name_of_url(entry.place)):
        return Searched(entry)
    return ImageSource(entry.image_id, entry.place, 0, "")


def _local(entry: Entry) -> Found:
    try:
        status = os.stat(entry.place)  # noqa: PTH116 - a Path for each of a million takes seconds
    except OSError as error:
        return _refused(entry, unreadable(error))
    if stat.S_ISDIR(status.st_mode):
        return Searched(entry)
    if not stat.S_ISREG(status.st_mode):
        return _refused(entry, NOT_REGULAR)
    if is_archive(entry.place):
        return Searched(entry)
    return ImageSource(entry.image_id, entry.place, status.st_size, stamp_of(status))


def _in_store(entry: Entry) -> Found:
    try:
        root = RemoteRoot(entry.place)
        file = root.own_file()
        if file is not None and not is_archive(entry.place):
            return ImageSource(entry.image_id, root.place, *file)
        if file is not None or root.exists():
            return Searched(entry)
    except OSError as error:
        return _refused(entry, unreadable(error))
    return _refused(entry, unreadable(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))))


def _refused(entry: Entry, failure: Failure) -> RefusedFile:
    return RefusedFile(ImageSource(entry.image_id, entry.place, 0, ""), failure)
