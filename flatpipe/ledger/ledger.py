"""What has been done: one SQLite file, one writer (the driver), readable by anyone at any time."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from flatpipe import layout
from flatpipe.ledger.answers import BesideFile
from flatpipe.ledger.database import Tell, gone
from flatpipe.ledger.joining import JoinedLedgers
from flatpipe.ledger.known_bytes import KnownBytes
from flatpipe.ledger.names import IdsByPlace
from flatpipe.ledger.packs.records import PackRecords
from flatpipe.ledger.queries import Queries
from flatpipe.ledger.recording import store_records
from flatpipe.ledger.results import last_run_adds
from flatpipe.ledger.rows import FAILURES, INVALID, PLANNED, failure_row, planned_row, to_sql
from flatpipe.ledger.schema import connect
from flatpipe.ledger.shared import SharedRecords
from flatpipe.records import Failure, ImageRecord, ImageSource, PlannedImage, SettingsDigests
from flatpipe.vocabulary import EARLIER

_COMMIT_EVERY = 64
_COMMIT_SECONDS = 1.0
# ^ images, or seconds, between commits: a killed driver repeats at most these
_SETTLING_SHARE, _LONGEST_PAUSE = 0.1, 30.0
# ^ of the time, at most, goes to commits: where a disk takes long to settle they come more rarely, up to this (seconds)


class Ledger(Queries):
    """The record of what has been done. Open it with a path, or with None for an empty one in memory.

    Whatever is asked of it may raise RunGivenUp: the disk is full or failing, another program holds the ledger, it is
    damaged. Opening it raises ConfigError where it cannot serve.
    """

    def __init__(
        self,
        path: str | None,
        *,
        read_only: bool = False,
        settle: Callable[[], None] | None = None,
        tell: Tell | None = None,
    ) -> None:
        """`settle` returns when the outputs lie on their disk: the ledger never says more than a power cut leaves.

        `tell` is told, in words, when the ledger must be waited for.
        """
        self._db = connect(path, read_only=read_only)
        self._db.tell = tell
        self.shared = SharedRecords(self._db)
        self.joined = JoinedLedgers(self._db)
        self.packs = PackRecords(self._db)
        self._path, self._file = path, path and Path(path).stat().st_ino
        self._read_only, self._settle = read_only, settle
        self._uncommitted, self._committed, self._pause = 0, time.monotonic(), _COMMIT_SECONDS

    def close(self) -> None:
        """Commit and close."""
        try:
            if self._db.in_transaction:
                self.commit()
        finally:
            self._db.close()

    def commit(self) -> None:
        """Make all that was recorded durable, after the outputs that it tells of."""
        began = time.monotonic()
        self._check_there()
        if self._settle is not None and self._uncommitted:
            self._settle()
        self._db.commit()
        self._uncommitted, self._committed = 0, time.monotonic()
        rest = (self._committed - began) * (1 / _SETTLING_SHARE - 1)
        self._pause = min(max(_COMMIT_SECONDS, rest), _LONGEST_PAUSE)

    @property
    def is_settled(self) -> bool:
        """Whether all that was recorded is durable."""
        return not self._db.in_transaction

    def undo(self) -> None:
        """Forget what was recorded since the last commit: the next run does it again."""
        self._db.undo()
        self._uncommitted = 0

    def _check_there(self) -> None:
        """Raise RunGivenUp when the file is no longer the one that was opened."""
        if self._path is None or self._read_only:
            return
        try:
            is_there = Path(self._path).stat().st_ino == self._file
        except FileNotFoundError:
            is_there = False
        if not is_there:
            raise gone(self._path)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside becomes durable at the end, or is undone when an error ends it early."""
        try:
            yield
        except BaseException:
            self._db.undo()
            raise
        self.commit()

    # --- a run ---------------------------------------------------------------------------------------------------

    def begin_run(self, run_id: str, started: str, config: str, *, adds: bool = False) -> None:
        """Record that a run began, and forget the last run's plan; one that `adds` to it keeps what was planned."""
        self._db.execute(
            "INSERT INTO runs (run_id, started, state, config, adds) VALUES (?, ?, 'running', ?, ?)",
            (run_id, started, config, adds),
        )
        if adds:
            self._db.execute("UPDATE planned SET ks = '', sweep = 0, reason = ?", (EARLIER,))
        else:
            self._db.execute("DELETE FROM planned")

    def adds_up(self) -> bool:
        """Whether the run that began last adds to what was there before, as calls of `flatten` do."""
        return last_run_adds(self._db)

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

    def known_bytes(self, digests: SettingsDigests) -> KnownBytes:
        """The recorded images by their bytes."""
        return KnownBytes(self._db, digests)

    def ids_by_place(self) -> IdsByPlace:
        """Under which id each file was recorded."""
        return IdsByPlace(self._db)

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
            path = f"{folder}/{layout.LEDGER}"
            self._db.backup_to(path)
            yield path

    # --- outcomes ------------------------------------------------------------------------------------------------

    def record(self, records: Sequence[ImageRecord], run_id: str) -> None:
        """Record all that some images came to; commits now and then."""
        store_records(self._db, records, run_id)
        self.commit_in_time(len(records))

    def commit_in_time(self, images: int) -> None:
        """Commit now and then: when images enough, or time enough, are at stake."""
        self._uncommitted += images
        waited = time.monotonic() - self._committed
        if waited > self._pause or (self._uncommitted >= _COMMIT_EVERY and self._pause <= _COMMIT_SECONDS):
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
        """Drop these images with all their outputs, the flats of other k than `ks`, and the retired files."""
        others = "DELETE FROM flats WHERE k NOT IN (SELECT value FROM json_each(?))"
        with self.transaction():
            for table in ("images", "flats", "sweeps", "packed"):
                names = ((to_sql(image_id),) for image_id in image_ids)
                self._db.executemany(f"DELETE FROM {table} WHERE image_id = ?", names)
            self._db.execute(others, (json.dumps(sorted(ks)),))
            self._db.execute("DELETE FROM retired")

    def note_beside(self, files: Iterable[BesideFile], removed: Collection[str] = ()) -> None:
        """Note files beside the images, and which are gone; commits nothing. A reader keeps that to himself."""
        if self._read_only:
            return
        rows = list(files)
        self._db.executemany("DELETE FROM beside WHERE name = ?", ((name,) for name in removed))
        self._db.executemany("INSERT OR REPLACE INTO beside (name, sha256, bytes) VALUES (?, ?, ?)", rows)
        self._uncommitted += len(rows)

    def note_folders(self, stamps: dict[str, int]) -> None:
        """Note how the folders of pictures are with all pictures there; commits nothing."""
        self._db.execute("DELETE FROM folders")
        self._db.executemany("INSERT INTO folders (name, stamp) VALUES (?, ?)", stamps.items())

    def invalidate_input(self, image_id: str) -> None:
        """Note that an input is not as recorded, whatever its dates say: the next plan reads it."""
        self._db.execute("UPDATE images SET stamp = '' WHERE image_id = ?", (to_sql(image_id),))

    def refresh_stamp(self, source: ImageSource) -> None:
        """Note that a file whose date changed still holds the content we know; a reader keeps that to himself."""
        if self._read_only:
            return
        self._db.execute(
            "UPDATE images SET size = ?, stamp = ?, path = ?, part = ? WHERE image_id = ?",
            (source.size, source.stamp, to_sql(source.path), source.part, to_sql(source.image_id)),
        )
