"""Files that an output once was and no longer is: a sweep.gif after the config asked for webp. `clean` removes them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from flatpipe.layout import sweep_file
from flatpipe.ledger.database import Database
from flatpipe.ledger.rows import SWEEPS, from_sql, to_sql
from flatpipe.records import Row


def retire_replaced(db: Database, sweeps: Sequence[Row]) -> None:
    """Remember the files that new sweeps, given as rows, no longer have; those that they have again are forgotten."""
    marks = ",".join("?" * len(sweeps))
    names = [SWEEPS.value(row, "image_id") for row in sweeps]
    query = f"SELECT image_id, files FROM sweeps WHERE image_id IN ({marks})"
    before = {image_id: json.loads(files) for image_id, files in db.execute(query, names)}
    for row, name in zip(sweeps, names, strict=True):
        if name in before:
            _retire(db, from_sql(name), before[name], json.loads(str(SWEEPS.value(row, "files"))))


def _retire(db: Database, image_id: str, before: dict[str, str], now: dict[str, str]) -> None:
    gone = [(to_sql(sweep_file(image_id, name)), before[name]) for name in before.keys() - now.keys()]
    db.executemany("INSERT OR REPLACE INTO retired (name, sha256) VALUES (?, ?)", gone)
    db.executemany("DELETE FROM retired WHERE name = ?", [(to_sql(sweep_file(image_id, name)),) for name in now])
