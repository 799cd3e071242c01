"""Files that an output once was and no longer is: a sweep.gif after the config asked for webp. `clean` removes them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from flatpipe.layout import NAME_WIDTHS, flat_name, image_folder, sweep_file
from flatpipe.ledger.database import Database
from flatpipe.ledger.rows import FLATS, SWEEPS, from_sql, to_sql
from flatpipe.records import Row

_RETIRE = "INSERT OR REPLACE INTO retired (name, sha256) VALUES (?, ?)"
_RETIRE_FIRST = "INSERT OR IGNORE INTO retired (name, sha256) VALUES (?, ?)"
# ^ of an image that was in a tar file before, and has lost it, what is known of its folder is older and right
_FORGET = "DELETE FROM retired WHERE name = ?"


def retire_replaced(db: Database, sweeps: Sequence[Row]) -> None:
    """Remember the files that new sweeps, given as rows, no longer have; those that they have again are forgotten."""
    names = [SWEEPS.value(row, "image_id") for row in sweeps]
    query = f"SELECT image_id, files FROM sweeps WHERE image_id IN ({_marks(names)})"
    before = {image_id: json.loads(files) for image_id, files in db.execute(query, names)}
    for row, name in zip(sweeps, names, strict=True):
        if name in before:
            _retire(db, from_sql(name), before[name], json.loads(str(SWEEPS.value(row, "files"))))


def retire_unwritten(db: Database, flats: Sequence[Row]) -> None:
    """Remember the files of flats that, given as rows, have none any more; those that have one again are forgotten."""
    unwritten = {
        (FLATS.value(row, "image_id"), FLATS.value(row, "k")) for row in flats if not FLATS.value(row, "sha256")
    }
    if unwritten:
        images = sorted({image_id for image_id, _ in unwritten}, key=repr)
        query = f"SELECT image_id, k, sha256 FROM flats WHERE sha256 != '' AND image_id IN ({_marks(images)})"
        before = db.execute(query, images).fetchall()
        gone = [row for row in before if (row[0], row[1]) in unwritten]
        db.executemany(_RETIRE, [(name, row[2]) for row in gone for name in _flat_names(row[0], row[1])])
    if len(unwritten) < len(flats) and db.execute("SELECT 1 FROM retired LIMIT 1").fetchone():
        written = [row for row in flats if FLATS.value(row, "sha256")]
        names = (_flat_names(FLATS.value(row, "image_id"), FLATS.value(row, "k")) for row in written)
        db.executemany(_FORGET, [(name,) for own in names for name in own])


def retire_packed(db: Database, packed: Sequence[Row]) -> None:
    """Remember the files in folders of images that, given as rows of `packed`, lie in a tar file from now on."""
    ids = [row[0] for row in packed]
    known = f"SELECT image_id FROM packed WHERE image_id IN ({_marks(ids)})"
    ids = sorted({*ids} - {image_id for (image_id,) in db.execute(known, ids)}, key=repr)
    flats = f"SELECT image_id, k, sha256 FROM flats WHERE sha256 != '' AND image_id IN ({_marks(ids)})"
    for image_id, k, sha256 in db.execute(flats, ids).fetchall():
        db.executemany(_RETIRE_FIRST, [(name, sha256) for name in _flat_names(image_id, k)])
    sweeps = f"SELECT image_id, files FROM sweeps WHERE image_id IN ({_marks(ids)})"
    for image_id, files in db.execute(sweeps, ids).fetchall():
        own = json.loads(files).items()
        db.executemany(_RETIRE_FIRST, [(to_sql(sweep_file(from_sql(image_id), name)), sha256) for name, sha256 in own])


def _flat_names(image_id: str | bytes, k: int) -> list[str | bytes]:
    """The names that the file of a flat may have, whatever the widest k was."""
    folder = image_folder(from_sql(image_id))
    return [to_sql(f"{folder}/{name}") for name in sorted({flat_name(k, width) for width in NAME_WIDTHS})]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _retire(db: Database, image_id: str, before: dict[str, str], now: dict[str, str]) -> None:
    gone = [(to_sql(sweep_file(image_id, name)), before[name]) for name in before.keys() - now.keys()]
    db.executemany(_RETIRE, gone)
    db.executemany(_FORGET, [(to_sql(sweep_file(image_id, name)),) for name in now])
