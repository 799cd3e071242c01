"""Two output folders, or two locks, against each other."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flatpipe import layout
from flatpipe.errors import ConfigError
from flatpipe.places import is_url, place_of
from flatpipe.proof.lock_file import LockFile, header_differences, image_differences, read_header
from flatpipe.storage.packs.blocks import blocks_of
from flatpipe.storage.remote import RemoteRoot
from flatpipe.storage.roots import Root, open_root


@dataclass(slots=True)
class Compared:
    """What was looked at so far."""

    files: int = 0
    # ^ of two folders
    images: int = 0
    # ^ of two locks


def compare(first: str, second: str, counts: Compared) -> Iterator[str]:
    """What differs, in words, as a stream; raises ConfigError when one of them is neither a folder nor a lock.

    Two output folders are compared by the bytes of every file below images/ or shards/; the rest tells of time and
    place.
    Two locks, or a folder and a lock, are compared by the lines of their locks.
    """
    first, second = (place_of(place, "") for place in (first, second))
    is_folder = [is_url(place) or Path(place).is_dir() for place in (first, second)]
    if all(is_folder):
        yield from _compare_folders(first, second, counts)
    else:
        yield from _compare_locks(_lock_path(first), _lock_path(second), counts)


def _lock_path(place: str) -> Path:
    if is_url(place):
        raise ConfigError(f"{place}: a folder behind a URL is compared with a folder; fetch its {layout.LOCK} first")
    return Path(place) / layout.LOCK if Path(place).is_dir() else Path(place)


def _compare_locks(first: Path, second: Path, counts: Compared) -> Iterator[str]:
    headers = read_header(first), read_header(second)
    yield from header_differences(*headers)
    locks = LockFile(first), LockFile(second)
    yield from image_differences(*(lock.images() for lock in locks))
    before, now = (lock.footer.get("palettes", "none") for lock in locks)
    if before != now:
        yield f"palettes that images share: {before} -> {now}"
    counts.images = max(int(lock.footer.get("images", 0)) for lock in locks)


def _compare_folders(first: str, second: str, counts: Compared) -> Iterator[str]:
    roots = open_root(first), open_root(second)
    tops = [_tops(root) for root in roots]
    if tops[0] != tops[1]:
        words = " and ".join(
            f"{place}: {' and '.join(found)}" for place, found in zip((first, second), tops, strict=True)
        )
        raise ConfigError(
            f"folders of other layouts ({words}) are compared by their locks: flatpipe diff A/{layout.LOCK} B"
        )
    for top in tops[0]:
        for name, left, right in _side_by_side(_files(f"{first}/{top}"), _files(f"{second}/{top}")):
            counts.files += 1
            shown = json.dumps(f"{top}/{name}", ensure_ascii=False)
            if left is None or right is None:
                yield f"{shown}: only in the {'first' if right is None else 'second'}"
            elif left != right or (left and not _are_alike(f"{top}/{name}", left, *roots)):
                yield f"{shown}: other bytes"


def _tops(root: Root) -> list[str]:
    """Which folders of outputs hold files; raises ConfigError where none does."""
    found = [top for top in (layout.IMAGES, layout.SHARDS) if root.first_file(top)]
    if not found:
        raise ConfigError(f"{root.place}: no {layout.IMAGES}/ or {layout.SHARDS}/ here; name an output folder")
    return found


def _are_alike(name: str, size: int, first: Root, second: Root) -> bool:
    """Whether a file has the same bytes in both; of equal length it is known to be."""
    both = zip(blocks_of(first, name, size), blocks_of(second, name, size), strict=True)
    return all(left == right for left, right in both)


def _side_by_side(
    first: Iterator[tuple[str, int]], second: Iterator[tuple[str, int]]
) -> Iterator[tuple[str, int | None, int | None]]:
    """Name and both sizes of each file of two listings in the order of their paths' parts."""
    left, right = next(first, None), next(second, None)
    while left or right:
        name = min((file[0] for file in (left, right) if file), key=_order)
        is_left, is_right = (bool(file and file[0] == name) for file in (left, right))
        yield name, left[1] if left and is_left else None, right[1] if right and is_right else None
        left = next(first, None) if is_left else left
        right = next(second, None) if is_right else right


def _order(name: str) -> list[bytes]:
    return os.fsencode(name).split(b"/")


def _files(place: str) -> Iterator[tuple[str, int]]:
    """Name and size in bytes of every file below a folder, in the order of the paths' parts."""
    if is_url(place):
        listing = RemoteRoot(place).listing()
        yield from sorted(((name, size) for name, size, _ in listing), key=lambda file: _order(file[0]))
    else:
        yield from _walk(place, "")


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.stat().st_size
