"""Names on disk, however many there are."""

from __future__ import annotations

from collections.abc import Iterable

from flatpipe.ledger.database import connected
from flatpipe.ledger.rows import to_sql


class NamesOnDisk:
    """A set of names that takes no memory; close it after use."""

    def __init__(self, names: Iterable[str]) -> None:
        self._db = connected("", "the temporary folder")
        # ^ a temporary file of SQLite's own, gone when it is closed
        self._db.execute("CREATE TABLE names (name PRIMARY KEY) WITHOUT ROWID")
        self._db.executemany("INSERT OR IGNORE INTO names (name) VALUES (?)", ((to_sql(name),) for name in names))

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        return self._db.execute("SELECT 1 FROM names WHERE name = ?", (to_sql(name),)).fetchone() is not None

    def __bool__(self) -> bool:
        return self._db.execute("SELECT 1 FROM names LIMIT 1").fetchone() is not None

    def close(self) -> None:
        """Drop the names."""
        self._db.close()
