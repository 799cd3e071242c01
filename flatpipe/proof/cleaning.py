"""Outputs that the config no longer asks for: other k, images gone from the input, files of earlier settings."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flatpipe import layout
from flatpipe.errors import RunGivenUp
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.retired import full_name
from flatpipe.ledger.rows import from_sql, to_sql
from flatpipe.places import is_url
from flatpipe.plan.workspace import Workspace, input_sources
from flatpipe.storage.discover import RefusedFile

Why = Literal["image gone", "k not asked for", "replaced"]
_WIDTHS = (2, 3)
# ^ digits of k in file names: 99 and 100 may both be the widest k once


@dataclass(frozen=True, slots=True)
class StaleFile:
    """A file that flatpipe wrote and that nobody asks for now."""

    name: str
    # ^ below the output root
    why: Why
    bytes: int
    is_ours: bool
    # ^ False when its bytes are not those that were written: it stays


def stale_files(workspace: Workspace) -> Iterator[StaleFile]:
    """Every such file that is there, as a stream. Reads them: what was changed since is told apart."""
    with contextlib.closing(sqlite3.connect("")) as present:
        _list_input(workspace, present)
        for name, sha256, why in _recorded(workspace, present):
            try:
                content = workspace.outputs.read(name)
            except OSError:
                continue
            yield StaleFile(name, why, len(content), hashlib.sha256(content).hexdigest() == sha256)


def remove(workspace: Workspace, file: StaleFile) -> None:
    """Delete one file, and the folders that it leaves empty; raises RunGivenUp when that fails."""
    try:
        workspace.outputs.remove(file.name)
    except OSError as error:
        raise RunGivenUp(f"{file.name}: cannot be deleted: {error.strerror or error}") from error
    if is_url(workspace.outputs.place):
        return
    folder, top = Path(workspace.outputs.place, file.name).parent, Path(workspace.outputs.place)
    with contextlib.suppress(OSError):
        # ^ not empty: there is more in it
        while folder.parent != top:
            folder.rmdir()
            folder = folder.parent


def forget(workspace: Workspace) -> None:
    """Drop from the ledger what `stale_files` tells of; call it when they are removed."""
    ledger = Ledger(workspace.ledger_path)
    try:
        with contextlib.closing(sqlite3.connect("")) as present:
            _list_input(workspace, present)
            known = [row[0] for row in ledger.rows("SELECT image_id FROM images")]
            gone = [image_id for image_id in known if not _is_present(present, image_id)]
        ledger.forget(gone, workspace.ks)
    finally:
        ledger.close()


def _list_input(workspace: Workspace, present: sqlite3.Connection) -> None:
    """Keep the ids of the input on disk, however many there are."""
    present.execute("CREATE TABLE present (image_id PRIMARY KEY) WITHOUT ROWID")
    found = (item.source if isinstance(item, RefusedFile) else item for item in input_sources(workspace.config))
    ids = ((to_sql(source.image_id),) for source in found)
    present.executemany("INSERT OR IGNORE INTO present VALUES (?)", ids)


def _is_present(present: sqlite3.Connection, image_id: str) -> bool:
    return present.execute("SELECT 1 FROM present WHERE image_id = ?", (to_sql(image_id),)).fetchone() is not None


def _recorded(workspace: Workspace, present: sqlite3.Connection) -> Iterator[tuple[str, str, Why]]:
    """Name, digest and reason of every recorded file that nobody asks for, whether it is there or not."""
    width = workspace.settings.name_width
    for image_id, k, sha256 in workspace.ledger.rows("SELECT image_id, k, sha256 FROM flats ORDER BY image_id, k"):
        is_gone, is_wanted = not _is_present(present, image_id), k in workspace.ks
        why: Why = "image gone" if is_gone else "replaced" if is_wanted else "k not asked for"
        wanted = layout.flat_name(k, width) if is_wanted and not is_gone else ""
        for name in sorted({layout.flat_name(k, digits) for digits in _WIDTHS} - {wanted}):
            yield f"{layout.image_folder(image_id)}/{name}", sha256, why
    for image_id, files in workspace.ledger.rows("SELECT image_id, files FROM sweeps ORDER BY image_id"):
        if not _is_present(present, image_id):
            for name, sha256 in json.loads(files).items():
                yield full_name(image_id, name), sha256, "image gone"
    for name, sha256 in workspace.ledger.rows("SELECT name, sha256 FROM retired ORDER BY name"):
        yield from_sql(name), sha256, "replaced"
