"""Ledgers joined: what one that was kept beside this one has recorded, taken in row by row, in flat memory.

Rows come through a connection of their own. SQLite could attach the other file, but ten at most, and none is let go
before the transaction ends: hundreds of parts would take as many transactions, and a merge would not be whole or none.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flatpipe.layout import SHARDS, sweep_file
from flatpipe.ledger.answers import PartRun
from flatpipe.ledger.database import Database
from flatpipe.ledger.packs.records import PACKED, PACKS
from flatpipe.ledger.rows import FAILURES, FLATS, IMAGES, INVALID, PLANNED, SWEEPS, Table, from_sql, to_sql
from flatpipe.ledger.schema import connect
from flatpipe.records import Row

_ROWS = 1000
# ^ that are on their way together
_EVERY_RUN = "SELECT run_id FROM runs UNION SELECT run_id FROM joined"
_JOIN = "INSERT OR IGNORE INTO joined (run_id) VALUES (?)"
_PART_RUNS = Table("part_runs", ("run_id", "part", "images", "listing", "settings", "versions", "planned"))
_PALETTES = Table("palettes", ("grp", "k", "settings", "root", "digest", "colors", "weights", "mse", "images"))
_RETIRED = Table("retired", ("name", "sha256"))
_NOTED_SETTINGS = Table("settings", ("digest", "choices"))
_LOOK = "look-"
# ^ begins the name of a look at files that left rows in doubt; it stands among the runs whose results a ledger has
_LOOKS = f"SELECT run_id FROM joined WHERE run_id LIKE '{_LOOK}%'"
_SAME_WORK = {
    "flats": ("k", "sha256", "seconds"),
    "sweeps": ("palettes_sha256", "seconds"),
    "images": ("content", "seconds"),
}
# ^ what two rows of one image have in common when they tell of the same work: what was made again took other seconds
_DOUBT = {"flats": f"settings = '{INVALID}'", "sweeps": f"settings = '{INVALID}'", "images": "stamp = ''"}
# ^ how `flatpipe verify` leaves a row, so that the next run looks at the file

_NEW_PACK = "INSERT OR IGNORE INTO packs (file, sha256, bytes) VALUES (?, ?, ?)"
# ^ of a shard, a whole run's own word counts; pieces have names of their own

IsWanted = Callable[[str], bool]


class JoinedLedgers:
    """The ledgers that were taken in, and how that is done; whoever writes commits."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def holds(self, run_id: str) -> bool:
        """Whether what a run has recorded is here: it was this ledger's own, or that of one that was taken in."""
        return self._db.execute(f"SELECT 1 FROM ({_EVERY_RUN}) WHERE run_id = ?", (run_id,)).fetchone() is not None

    def take_in(self, path: str, is_wanted: IsWanted | None = None) -> None:
        """Take in all that another ledger has recorded of images, or of those that are wanted.

        Where both know an image, the other's word counts. Raises ConfigError when it cannot be read.
        """
        with contextlib.closing(connect(path, read_only=True)) as other:
            known = "SELECT image_id FROM images UNION SELECT image_id FROM planned"
            wanted = _those_wanted(other.execute(known), is_wanted)
            self._gather_doubts(self._db, other)
            self._each("DELETE FROM failures WHERE image_id = ?", wanted)
            for table in (IMAGES, FLATS, SWEEPS, FAILURES):
                self._each(table.insert, _those_wanted(other.execute(table.select), is_wanted))
            self._doubt()
            self._take_packed(other, is_wanted)
            self._each(_NOTED_SETTINGS.insert, other.execute(_NOTED_SETTINGS.select))
            self._each(_RETIRED.insert, other.execute(_RETIRED.select))
            self._each("DELETE FROM retired WHERE name = ?", _names_of_sweeps(other))
            # ^ a file that was replaced once, and is there again
            self._each(_JOIN, other.execute(_EVERY_RUN))

    def _take_packed(self, other: Database, is_wanted: IsWanted | None) -> None:
        """Where the outputs lie of which the other tells: in its tar files, or no longer in any."""
        known = _those_wanted(other.execute("SELECT image_id FROM images"), is_wanted)
        self._each("DELETE FROM packed WHERE image_id = ?", known)
        self._each(PACKED.insert, _those_wanted(other.execute(PACKED.select), is_wanted))
        self._each(_NEW_PACK, other.execute(PACKS.select))

    def take_whole(self, path: str, is_wanted: IsWanted) -> None:
        """Take in what the ledger of a whole run has recorded of a part's own images, and of shared palettes."""
        self._db.execute("DELETE FROM packs WHERE file LIKE ?", (f"{SHARDS}/%",))
        # ^ that ledger knows better
        self.take_in(path, is_wanted)
        self._db.execute("DELETE FROM retired")
        # ^ that ledger keeps them, of all images
        with contextlib.closing(connect(path, read_only=True)) as other:
            self._each(_PALETTES.insert, other.execute(_PALETTES.select))

    def note_look(self) -> None:
        """Note that a look at the files has left rows in doubt, which ledgers that are taken in do not know yet."""
        self.note_joined(f"{_LOOK}{uuid.uuid4().hex}")

    def take_doubts(self, path: str) -> None:
        """Take in which rows another ledger has in doubt, as far as this one has them of the same work."""
        with contextlib.closing(connect(path, read_only=True)) as other:
            self._gather_doubts(other, self._db)
            self._each(_JOIN, other.execute(_LOOKS))
        self._doubt()

    def _gather_doubts(self, looked_at: Database, other: Database) -> None:
        """Remember the rows that one ledger has in doubt since a look that the other has not heard of."""
        heard = {run_id for (run_id,) in other.execute(_LOOKS)}
        is_news = any(run_id not in heard for (run_id,) in looked_at.execute(_LOOKS))
        for table, common in _SAME_WORK.items():
            columns = ", ".join(("image_id", *common))
            self._db.execute(f"DROP TABLE IF EXISTS temp.doubted_{table}")
            self._db.execute(f"CREATE TEMP TABLE doubted_{table} ({columns}, PRIMARY KEY ({columns})) WITHOUT ROWID")
            if is_news:
                marks = ", ".join("?" * (1 + len(common)))
                insert = f"INSERT INTO temp.doubted_{table} ({columns}) VALUES ({marks})"
                self._each(insert, looked_at.execute(f"SELECT {columns} FROM {table} WHERE {_DOUBT[table]}"))

    def _doubt(self) -> None:
        """Doubt those rows here: who says that they are right has not looked."""
        for table, common in _SAME_WORK.items():
            columns = ", ".join(("image_id", *common))
            its = f"temp.doubted_{table}"
            which = f"image_id IN (SELECT image_id FROM {its}) AND ({columns}) IN (SELECT {columns} FROM {its})"
            self._db.execute(f"UPDATE {table} SET {_DOUBT[table]} WHERE {which}")

    def take_plan(self, path: str) -> None:
        """Add the images that another ledger's last run has planned to this one's plan."""
        with contextlib.closing(connect(path, read_only=True)) as other:
            self._each(PLANNED.insert, other.execute(PLANNED.select))

    def note_joined(self, run_id: str) -> None:
        """Note that a run's results are here, or better ones; commits nothing."""
        self._db.execute(_JOIN, (run_id,))

    def settle_plan(self, run_id: str, now: float) -> None:
        """Note that nothing is due of a run's plan: all is done, or has failed; `now` in seconds since 1970.

        Failures of images that are not in the plan are dropped.
        """
        self._db.execute("DELETE FROM failures WHERE image_id NOT IN (SELECT image_id FROM planned)")
        self._db.execute("UPDATE planned SET ks = '', sweep = 0")
        self._db.execute("UPDATE planned SET reason = '' WHERE image_id NOT IN (SELECT image_id FROM failures)")
        self._db.execute(
            "INSERT OR REPLACE INTO progress (run_id, began, updated, images, pairs, done, failed, pairs_done) "
            "SELECT ?, ?, ?, count(*), 0, 0, count(*), 0 FROM failures",
            (run_id, now, now),
        )

    def note_part(self, run_id: str, noted: PartRun) -> None:
        """Note of which part a run is, and of what input; commits nothing."""
        self._db.execute(_PART_RUNS.insert, (run_id, *noted))

    def part_run(self, run_id: str) -> PartRun | None:
        """What was noted of a run; None of one that is no part, or has not planned yet."""
        row = self._db.execute(f"{_PART_RUNS.select} WHERE run_id = ?", (run_id,)).fetchone()
        return None if row is None else PartRun._make(row[1:])

    def _each(self, statement: str, rows: Iterable[Row]) -> None:
        remaining = iter(rows)
        while chunk := list(itertools.islice(remaining, _ROWS)):
            self._db.executemany(statement, chunk)


def _those_wanted(rows: Iterable[Any], is_wanted: IsWanted | None) -> Iterable[Any]:
    """Rows that begin with the id of an image."""
    return rows if is_wanted is None else (row for row in rows if is_wanted(from_sql(row[0])))


def _names_of_sweeps(db: Database) -> Iterator[Row]:
    """Names of the files in folders; an image that lies in a tar file has none of its own."""
    in_folders = "SELECT image_id, files FROM sweeps WHERE image_id NOT IN (SELECT image_id FROM packed)"
    for image_id, files in db.execute(in_folders):
        yield from ((to_sql(sweep_file(from_sql(image_id), name)),) for name in json.loads(files))
