"""Files that an output once was and no longer is: a sweep.gif after the config asked for webp. `clean` removes them."""

from __future__ import annotations

import json
import sqlite3

from flatpipe import layout
from flatpipe.ledger.rows import to_sql
from flatpipe.records import SweepResult


def full_name(image_id: str, name: str) -> str:
    """Name below the output root of a file that `sweeps.files` names: beside the image's outputs if it has no "/"."""
    return name if "/" in name else f"{layout.image_folder(image_id)}/{name}"


def retire_replaced(db: sqlite3.Connection, sweep: SweepResult) -> None:
    """Remember the files that an image's new sweep no longer has; those it has again are forgotten."""
    row = db.execute("SELECT files FROM sweeps WHERE image_id = ?", (to_sql(sweep.image_id),)).fetchone()
    if row is None:
        return
    before, now = json.loads(row[0]), dict(sweep.files)
    gone = [(to_sql(full_name(sweep.image_id, name)), before[name]) for name in before.keys() - now.keys()]
    db.executemany("INSERT OR REPLACE INTO retired VALUES (?, ?)", gone)
    db.executemany("DELETE FROM retired WHERE name = ?", [(to_sql(full_name(sweep.image_id, name)),) for name in now])
