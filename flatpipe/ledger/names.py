"""Names of images, however many there are, without memory for them."""

from __future__ import annotations

from collections.abc import Iterable

from flatpipe.ledger.database import Database, connected
from flatpipe.ledger.rows import from_sql, to_sql
from flatpipe.records import ImageSource


class NamesOnDisk:
    """A set of names that takes no memory; close it after use."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._db = connected("", "the temporary folder")
        # ^ a temporary file of SQLite's own, gone when it is closed
        self._db.execute("CREATE TABLE names (name PRIMARY KEY) WITHOUT ROWID")
        self._db.executemany("INSERT OR IGNORE INTO names (name) VALUES (?)", ((to_sql(name),) for name in names))

    def add(self, name: str) -> bool:
        """Take a name in; whether it is a new one."""
        return self._db.execute("INSERT OR IGNORE INTO names (name) VALUES (?)", (to_sql(name),)).rowcount == 1

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        return self._db.execute("SELECT 1 FROM names WHERE name = ?", (to_sql(name),)).fetchone() is not None

    def __bool__(self) -> bool:
        return self._db.execute("SELECT 1 FROM names LIMIT 1").fetchone() is not None

    def close(self) -> None:
        """Drop the names."""
        self._db.close()


class IdsByPlace:
    """Under which id a file was recorded, for files whose id today is another; an index that lasts as long as a run."""

    def __init__(self, db: Database) -> None:
        self._db, self._is_made = db, False

    def of(self, source: ImageSource) -> str | None:
        """The id that a file (and frame) had when it was last planned, or else when it was last read; None: it is new.

        An id that names a frame stands for no whole file, nor the reverse.
        """
        if not self._is_made:
            self._make()
        query = "SELECT image_id FROM temp.places WHERE path = ? AND part = ? AND frame = ?"
        row = self._db.execute(query, (to_sql(source.path), source.part, source.frame)).fetchone()
        found = None if row is None else from_sql(row[0])
        return found if found is not None and _frame_mark(found) == _frame_mark(source.image_id) else None

    def _make(self) -> None:
        """Make the index: only who names a file that is not known by its own id waits for it."""
        columns = "path, part, frame, image_id"
        self._db.execute("DROP TABLE IF EXISTS temp.places")
        self._db.execute(
            "CREATE TEMP TABLE places "
            "(path, part, frame INTEGER, image_id, PRIMARY KEY (path, part, frame)) WITHOUT ROWID"
        )
        for table in ("images", "planned"):
            self._db.execute(f"INSERT OR REPLACE INTO temp.places ({columns}) SELECT {columns} FROM {table}")
        self._is_made = True


def _frame_mark(image_id: str) -> str:
    return "".join(image_id.rpartition("#")[1:]) if "#" in image_id else ""
