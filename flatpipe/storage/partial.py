"""Files that wait until they are whole: made, moved to where they belong, and dropped when a run was killed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from flatpipe.layout import PARTIAL, is_partial_name, partial_name

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


def created(partial: Path) -> BinaryIO:
    """A new file, its folder made when it is missing; raises OSError."""
    try:
        return partial.open("xb")
    except FileNotFoundError:
        partial.parent.mkdir(parents=True, exist_ok=True)
        return partial.open("xb")


def rename(partial: Path, final: Path) -> None:
    """Put the file in place, its folder made when it is missing; raises OSError."""
    try:
        partial.replace(final)
    except FileNotFoundError:
        final.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(final)


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


def move_across(partial: Path, place: str, name: str) -> str:
    """Put the file in place on another file system; the folder below `place` where it waited there. Raises OSError.

    It is the outermost one that lies where the file is to be: `images` may be a disk of its own, or a folder in it.
    """
    folders = name.split("/")[:-1]
    for depth in range(1, len(folders) + 1):
        waiting = "/".join([*folders[:depth], PARTIAL])
        near = Path(place, waiting, partial.name)
        try:
            with partial.open("rb") as source, created(near) as copy:
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


def drop_partials(folder: str) -> None:
    """Remove what has a name of ours, and the folder unless something else is in it."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - names are judged, not paths
            if is_partial_name(name):
                Path(folder, name).unlink(missing_ok=True)
        Path(folder).rmdir()
