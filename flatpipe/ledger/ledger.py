"""What has been done: one SQLite file, one writer (the driver), readable by anyone at any time."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from flatpipe.errors import RunGivenUp
from flatpipe.ledger.queries import Queries
from flatpipe.ledger.recording import store_records
from flatpipe.ledger.rows import FAILURES, PLANNED, failure_row, planned_row, to_sql
from flatpipe.ledger.schema import connect
from flatpipe.records import Failure, ImageRecord, ImageSource, PlannedImage

_COMMIT_EVERY = 64
_COMMIT_SECONDS = 1.0
# ^ images, or seconds, between commits: a killed driver repeats at most these, and a commit costs about a millisecond

INVALID = "disputed"
# ^ `settings` of an output that `flatpipe verify` found changed: the next run makes it again


class Ledger(Queries):
    """The record of what has been done. Open it with a path, or with None for an empty one in memory."""

    def __init__(self, path: str | None, *, read_only: bool = False) -> None:
        self._db = connect(path, read_only=read_only)
        self._read_only = read_only
        self._uncommitted, self._committed = 0, time.monotonic()

    def close(self) -> None:
        """Commit and close."""
        if not self._read_only:
            self.commit()
        self._db.close()

    def commit(self) -> None:
        """Make all that was recorded durable."""
        self._db.commit()
        self._uncommitted, self._committed = 0, time.monotonic()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside becomes durable at the end, or is undone when an error ends it early.

        Raises RunGivenUp when the ledger cannot be written.
        """
        try:
            with self._db:
                yield
        except sqlite3.Error as error:
            raise RunGivenUp(f"the ledger cannot be written: {error}") from error
        self._uncommitted, self._committed = 0, time.monotonic()

    # --- a run ---------------------------------------------------------------------------------------------------

    def begin_run(self, run_id: str, started: str, config: str) -> None:
        """Record that a run began, and forget the last run's plan."""
        self._db.execute(
            "INSERT INTO runs (run_id, started, state, config) VALUES (?, ?, 'running', ?)", (run_id, started, config)
        )
        self._db.execute("DELETE FROM planned")

    def end_run(self, run_id: str, finished: str, state: str, summary: str) -> None:
        """Record how a run ended."""
        self._db.execute(
            "UPDATE runs SET finished = ?, state = ?, summary = ? WHERE run_id = ?", (finished, state, summary, run_id)
        )
        self.commit()

    def announce_work(self, run_id: str) -> None:
        """Record that the plan is complete, and what is due by it; kernels and workers are made ready now."""
        due = "SELECT count(*), coalesce(sum(length(ks) - length(replace(ks, ',', '')) + (ks != '')), 0) FROM planned"
        images, pairs = self._db.execute(f"{due} WHERE ks != '' OR sweep").fetchone()
        self._db.execute(
            "INSERT OR REPLACE INTO progress (run_id, began, updated, images, pairs, done, failed, pairs_done) "
            "VALUES (?, 0, 0, ?, ?, 0, 0, 0)",
            (run_id, images, pairs),
        )
        self.commit()

    def begin_work(self, run_id: str, now: float) -> None:
        """Record that work begins; `now` in seconds since 1970."""
        self._db.execute("UPDATE progress SET began = ?, updated = ? WHERE run_id = ?", (now, now, run_id))
        self.commit()

    def record_settings(self, choices_by_digest: dict[str, dict[str, Any]]) -> None:
        """Remember what each settings digest stands for."""
        rows = [(digest, json.dumps(choices, sort_keys=True)) for digest, choices in choices_by_digest.items()]
        self._db.executemany("INSERT OR IGNORE INTO settings (digest, choices) VALUES (?, ?)", rows)

    def store_plan(self, images: Iterable[PlannedImage]) -> None:
        """Add images to the current run's plan."""
        self._db.executemany(PLANNED.insert, (planned_row(image) for image in images))

    def forget_absent_failures(self) -> None:
        """Drop failures of images that the current plan does not know: their files are gone."""
        self._db.execute("DELETE FROM failures WHERE image_id NOT IN (SELECT image_id FROM planned)")

    @contextlib.contextmanager
    def copied(self) -> Iterator[str]:
        """Path of a copy of the ledger as it is now, a file that lasts as long as the context."""
        self.commit()
        with tempfile.TemporaryDirectory(prefix="flatpipe-") as folder:
            copy = sqlite3.connect(f"{folder}/ledger.sqlite")
            self._db.backup(copy)
            copy.close()
            yield f"{folder}/ledger.sqlite"

    # --- outcomes ------------------------------------------------------------------------------------------------

    def record(self, records: Sequence[ImageRecord], run_id: str) -> None:
        """Record all that some images came to; commits now and then."""
        store_records(self._db, records, run_id)
        self._uncommitted += len(records)
        if self._uncommitted >= _COMMIT_EVERY or time.monotonic() - self._committed > _COMMIT_SECONDS:
            self.commit()

    def record_failure(self, source: ImageSource, failure: Failure, run_id: str) -> None:
        """Record why an image has no result; commits nothing."""
        self._db.execute(FAILURES.insert, failure_row(source, failure, run_id))

    def invalidate(self, image_id: str, k: int | None) -> None:
        """Note that the flat image for k, or with k None another file of the image, is not as recorded."""
        name = to_sql(image_id)
        if k is None:
            self._db.execute("UPDATE sweeps SET settings = ? WHERE image_id = ?", (INVALID, name))
        else:
            self._db.execute("UPDATE flats SET settings = ? WHERE image_id = ? AND k = ?", (INVALID, name, k))

    def forget(self, image_ids: Sequence[str], ks: Collection[int]) -> None:
        """Drop these images with all their outputs, the flats of other k than `ks`, and the retired files.

        Raises RunGivenUp when the ledger cannot be written.
        """
        others = "DELETE FROM flats WHERE k NOT IN (SELECT value FROM json_each(?))"
        with self.transaction():
            for table in ("images", "flats", "sweeps"):
                names = ((to_sql(image_id),) for image_id in image_ids)
                self._db.executemany(f"DELETE FROM {table} WHERE image_id = ?", names)
            self._db.execute(others, (json.dumps(sorted(ks)),))
            self._db.execute("DELETE FROM retired")

    def invalidate_input(self, image_id: str) -> None:
        """Note that an input is not as recorded, whatever its dates say: the next plan reads it."""
        self._db.execute("UPDATE images SET stamp = '' WHERE image_id = ?", (to_sql(image_id),))

    def refresh_stamp(self, source: ImageSource) -> None:
        """Note that a file whose date changed still holds the content we know; a reader keeps that to himself."""
        if self._read_only:
            return
        self._db.execute(
            "UPDATE images SET size = ?, stamp = ?, path = ? WHERE image_id = ?",
            (source.size, source.stamp, to_sql(source.path), to_sql(source.image_id)),
        )
