"""Whether a run would reproduce a lock, before it starts; and whether it did, at its end."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from flatpipe import layout
from flatpipe.errors import ConfigError
from flatpipe.ledger.rows import from_sql, to_sql
from flatpipe.plan.workspace import PlanCounts, Request, Sources, Workspace, plan_images
from flatpipe.proof.lock import UNREAD, LockedImage, lock_head, locked_images, shortened
from flatpipe.proof.lock_file import LockFile, head_differences, image_differences, read_head
from flatpipe.storage.discover import RefusedFile
from flatpipe.storage.roots import read_file

_NAMED = 10
# ^ differences that a message names


@contextlib.contextmanager
def lock_to_reproduce(workspace: Workspace, lock: str | None, sources: Sources | None) -> Iterator[Path | None]:
    """The lock that a run must reproduce, checked: a local file, or with "" a copy of the output's own.

    None when none is asked for. Raises ConfigError, naming the lines, when the run would not reproduce it.
    """
    if lock is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="flatpipe-") as folder:
        path = Path(lock or f"{folder}/{layout.LOCK}")
        if not lock and not workspace.outputs.fetch(layout.LOCK, str(path)):
            place = f"{workspace.outputs.place}/{layout.LOCK}"
            raise ConfigError(f"{place}: no lock here to reproduce; a complete run writes one")
        _check_lock(workspace, path, sources)
        yield path


def _check_lock(workspace: Workspace, path: Path, sources: Sources | None) -> None:
    differences = head_differences(read_head(path), lock_head(workspace))
    if not differences:
        locked = (replace(image, outcome="") for image in LockFile(path).images())
        now = _inputs(workspace, sources, path)
        differences = list(itertools.islice(image_differences(locked, now), _NAMED + 1))
    if differences:
        lines = "\n  ".join(_named(differences))
        raise ConfigError(f"this run would not reproduce the lock; nothing was done\n  {lines}")


def lock_missed(workspace: Workspace, path: Path) -> str:
    """Why the outputs are not those of the lock, in words; "" when they are."""
    found = image_differences(LockFile(path).images(), locked_images(workspace))
    differences = list(itertools.islice(found, _NAMED + 1))
    return f"the lock was not reproduced: {'; '.join(_named(differences))}" if differences else ""


def _inputs(workspace: Workspace, sources: Sources | None, path: Path) -> Iterator[LockedImage]:
    """Every image of the input with its digest, in the lock's order; sorted on disk, however many there are."""
    failed = {image.image_id for image in LockFile(path).images() if image.content == UNREAD}
    digest_of = lru_cache(maxsize=16)(_digest)
    # ^ the frames of a file come together
    with contextlib.closing(sqlite3.connect("")) as db:
        db.execute("CREATE TABLE inputs (image_id PRIMARY KEY, content TEXT) WITHOUT ROWID")
        for item in plan_images(workspace, Request(), PlanCounts(), sources):
            image_id = item.source.image_id
            if isinstance(item, RefusedFile) or image_id in failed:
                content = UNREAD
            elif item.reason in ("new", "content changed"):
                content = digest_of(item.source.path)
            else:
                content = shortened(_recorded(workspace, image_id))
            db.execute("INSERT OR REPLACE INTO inputs VALUES (?, ?)", (to_sql(image_id), content))
        for name, content in db.execute("SELECT image_id, content FROM inputs ORDER BY image_id"):
            yield LockedImage(from_sql(name), content, "")


def _recorded(workspace: Workspace, image_id: str) -> str:
    rows = workspace.ledger.rows("SELECT content FROM images WHERE image_id = ?", (to_sql(image_id),))
    return str(next(rows)[0])


def _digest(path: str) -> str:
    try:
        return shortened(hashlib.sha256(read_file(path)).hexdigest())
    except OSError:
        return UNREAD


def _named(differences: list[str]) -> list[str]:
    return differences[:_NAMED] + ["..."] * (len(differences) > _NAMED)
