"""The images of an input by group, on disk: all of a group are gone through before the first of them is planned."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

from flatpipe.ledger.database import connected
from flatpipe.ledger.rows import SOURCE, from_sql, place_row, source_of, to_sql
from flatpipe.records import Failure, ImageSource

_COLUMNS = ", ".join(SOURCE)


class FoundImage(NamedTuple):
    """An image of the input, with the group that it belongs to, or why it will not be opened."""

    source: ImageSource
    group: str | None
    failure: Failure | None


class SourcesOnDisk:
    """Images in the order in which they came, in a temporary file; close it after use."""

    def __init__(self, found: Iterable[FoundImage]) -> None:
        self._db = connected("", "the temporary folder")
        # ^ a temporary file of SQLite's own, gone when it is closed
        self._db.execute(f"CREATE TABLE found ({_COLUMNS}, grp, failure)")
        self._db.executemany(
            f"INSERT INTO found ({_COLUMNS}, grp, failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_row, found)
        )
        self._db.execute("CREATE INDEX by_group ON found (grp)")

    def all(self) -> Iterator[FoundImage]:
        """Every image, as it came."""
        for *place, group, failure in self._db.execute(f"SELECT {_COLUMNS}, grp, failure FROM found ORDER BY rowid"):
            named = None if group is None else from_sql(group)
            yield FoundImage(source_of(place), named, Failure(**json.loads(failure)) if failure else None)

    def groups(self) -> list[str]:
        """The groups that have images."""
        query = "SELECT DISTINCT grp FROM found WHERE grp IS NOT NULL ORDER BY grp"
        return [from_sql(row[0]) for row in self._db.execute(query)]

    def of(self, group: str, first: int = 0, last: int = 1 << 62) -> Iterator[tuple[int, ImageSource]]:
        """The images of a group that will be opened, each with its number among all; from one number to another."""
        query = f"""
        SELECT rowid, {_COLUMNS} FROM found
        WHERE grp = ? AND rowid BETWEEN ? AND ? AND failure IS NULL ORDER BY rowid
        """
        for number, *place in self._db.execute(query, (to_sql(group), first, last)):
            yield number, source_of(place)

    def close(self) -> None:
        """Drop the images."""
        self._db.close()


def _row(found: FoundImage) -> tuple[Any, ...]:
    source, group, failure = found
    return (
        *place_row(source),
        None if group is None else to_sql(group),
        None if failure is None else json.dumps(asdict(failure)),
    )
