"""What images came to, written down: one statement for all rows of a kind."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flatpipe.ledger.database import Database
from flatpipe.ledger.packs.records import store_packed
from flatpipe.ledger.retired import retire_packed, retire_replaced, retire_unwritten
from flatpipe.ledger.rows import FAILURES, FLATS, IMAGES, SWEEPS, failure_row, to_sql
from flatpipe.records import INTERRUPTED, ImageRecord


def store_records(db: Database, records: Sequence[ImageRecord], run_id: str) -> None:
    """Store all rows of the images, and count them in the run's progress; commits nothing."""
    sweeps = [record.sweep_row for record in records if record.sweep_row is not None]
    flats = [row for record in records for row in record.flat_rows]
    in_folders = [record for record in records if not record.packed_row]
    retire_replaced(db, [record.sweep_row for record in in_folders if record.sweep_row])
    retire_unwritten(db, [row for record in in_folders for row in record.flat_rows])
    retire_packed(db, [record.packed_row for record in records if record.packed_row])
    store_packed(db, records)
    db.executemany(IMAGES.insert, [record.image_row for record in records if record.image_row is not None])
    db.executemany(FLATS.insert, flats)
    db.executemany(SWEEPS.insert, sweeps)
    succeeded = [(to_sql(record.source.image_id),) for record in records if record.failure is None]
    db.executemany("DELETE FROM failures WHERE image_id = ?", succeeded)
    failed = [
        failure_row(record.source, record.failure, run_id)
        for record in records
        if record.failure is not None and record.failure.error != INTERRUPTED
    ]
    db.executemany(FAILURES.insert, failed)
    db.execute(
        "UPDATE progress SET updated = ?, done = done + ?, failed = failed + ?, pairs_done = pairs_done + ? "
        "WHERE run_id = ?",
        (time.time(), len(succeeded), len(failed), sum(record.pairs for record in records), run_id),
    )
