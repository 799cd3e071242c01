"""Files that wait until they are whole: made, moved to where they belong, and dropped when a run was killed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, TypeVar

from flatpipe.layout import PARTIAL, is_partial_name, part_of_name, partial_name

Value = TypeVar("Value")

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_ABOUT_NAMES = {
    *(errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ELOOP, errno.ENOENT),
    # ^ ENOENT: of exFAT in user space, though the folder was made just before
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY),
}


def is_about_name(error: OSError) -> bool:
    """Whether a file system may refuse this one name, and take others: too long, not allowed, a file where a folder is.

    Only a try with another name (`Root.probe`) tells it from an output that is broken.
    """
    return error.errno in _ABOUT_NAMES


def within(path: str, action: Callable[[], Value]) -> Value:
    """What `action` returns, which makes a file or folder at the path: where its folder is missing, that is made."""
    try:
        return action()
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return action()


def created(path: str) -> BinaryIO:
    """A new file, open; raises OSError."""
    return within(path, lambda: open(path, "xb"))  # noqa: PTH123


def put(path: str, content: bytes) -> None:
    """Write a new file; raises OSError.

    Here and in `rename` paths are texts, and files the system's: a task writes a file every few hundred microseconds,
    and taking paths apart was most of that.
    """
    opened = within(path, lambda: os.open(path, _NEW, 0o666))
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(opened, left) :]
    finally:
        os.close(opened)


def put_folder(path: str, files: Mapping[str, bytes]) -> None:
    """Make a new folder with files in it, by their names there; raises OSError."""
    within(path, lambda: os.mkdir(path))  # noqa: PTH102
    for name, content in files.items():
        put(f"{path}/{name}", content)


def rename(partial: str, final: str) -> None:
    """Put a file or folder in place, its folder made when it is missing; raises OSError."""
    within(final, lambda: os.replace(partial, final))  # noqa: PTH105


def remove(path: str) -> None:
    """Remove a file, or a folder with all that is in it, if it is there; raises OSError for a file that stays."""
    if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
        shutil.rmtree(path, ignore_errors=True)
    else:
        Path(path).unlink(missing_ok=True)


def write_alone(path: str, content: bytes) -> None:
    """Put a whole file in place that is nobody's output folder's; raises OSError and leaves nothing behind."""
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.parent / f".{partial_name()}"
    try:
        partial.write_bytes(content)
        partial.replace(final)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def move_across(partial: Path, place: str, name: str, waits_in: str = PARTIAL) -> str:
    """Put the file in place on another file system; the folder below `place` where it waited there. Raises OSError.

    It is the outermost one that lies where the file is to be: `images` may be a disk of its own, or a folder in it.
    `waits_in` is PARTIAL, or a folder in that.
    """
    folders = name.split("/")[:-1]
    for depth in range(1, len(folders) + 1):
        waiting = "/".join([*folders[:depth], waits_in])
        near = Path(place, waiting, partial.name)
        try:
            with partial.open("rb") as source, created(str(near)) as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
            near.replace(Path(place, name))
        except OSError as error:
            near.unlink(missing_ok=True)
            if error.errno != errno.EXDEV:
                raise
        else:
            partial.unlink()
            return waiting
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def drop_partials(folder: str, part: str = "") -> None:
    """Remove what has a name of ours, and the folder unless something else is in it; of a `part` of a run, its alone.

    Without a part, what parts have left goes too: whoever asks for it has the output to himself.
    """
    if part:
        _drop(f"{folder}/{part}")
        # ^ `folder` stays: others make theirs in it at this moment
        return
    with contextlib.suppress(OSError):
        for name in filter(part_of_name, os.listdir(folder)):  # noqa: PTH208 - names are judged, not paths
            _drop(f"{folder}/{name}")
    _drop(folder)


def _drop(folder: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - names are judged, not paths
            if is_partial_name(name):
                remove(f"{folder}/{name}")
        Path(folder).rmdir()
