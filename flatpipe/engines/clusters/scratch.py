"""A folder of the run's own for what Dask writes on local disks, and the traces of it taken back.

Dask would take `dask-scratch-space` below the system's temporary folder, and put it first on the path of imports: on a
machine with other users, whoever makes that folder first decides what is imported.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flatpipe.errors import RunGivenUp

SCRATCH = "temporary-directory"
# ^ Dask's name of the setting


@contextlib.contextmanager
def private_folder(below: str | None = None) -> Iterator[str]:
    """A new folder that nobody else can enter, with a name that nobody can guess; removed at the end.

    It lies below the system's temporary folder unless another is named, which is made if need be. Raises RunGivenUp
    when none can be made.
    """
    try:
        if below:
            Path(below).mkdir(parents=True, exist_ok=True)
        folder = str(Path(tempfile.mkdtemp(prefix="flatpipe-", dir=below)).absolute())
    except OSError as error:
        where = f"in {below}" if below else "in the system's temporary folder"
        words = f"no folder can be made {where} ({error.strerror or error})"
        raise RunGivenUp(
            f"{words}: let TMPDIR name one with room that you may write to, or run with threads"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def same_import_path() -> Iterator[None]:
    """Take back what Dask puts before the path of imports: a program that calls us would go on importing from there."""
    before = list(sys.path)
    try:
        yield
    finally:
        known = set(before)
        sys.path[:] = [folder for folder in sys.path if folder in known]
