"""A connection to SQLite whose errors are ours: whatever it meets leaves as one sentence that says how to go on.

Errors are told apart by SQLite's codes (https://sqlite.org/rescode.html), never by their text.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

from flatpipe.errors import ConfigError, RunGivenUp

Tell = Callable[[str], None]
_Value = TypeVar("_Value")

_ROUND_SECONDS = 1.0
# ^ how long SQLite itself waits for a lock; between rounds Python hears signals
_TOLD_AFTER_SECONDS = 5.0
_ROWS_AT_ONCE = 256
READER_PATIENCE, WRITER_PATIENCE = 20.0, 600.0
# ^ seconds: who writes has a run to lose

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
# ^ the latter where the memory that readers of a WAL share finds no room on the disk
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
# ^ ERROR: a table or a column is missing, or what should be JSON is none
_FORBIDDEN = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_GOES_ON = "run again: it goes on from here"
AGAIN = (
    "move it away and run again: every image is made again, to the same bytes (of a ledger kept elsewhere, "
    "the copy beside the outputs is taken up)"
)


class LedgerUnusable(RunGivenUp):
    """The ledger itself is in the way: damaged, forbidden, not ours."""


class Database(sqlite3.Connection):
    """A connection that waits for locks with patience, and says what went wrong in words; made by `connected`."""

    place = ""
    patience = READER_PATIENCE
    tell: Tell | None = None
    # ^ told once when a lock is waited for

    def execute(self, statement: str, parameters: Any = (), /) -> _Cursor:
        """A cursor over what a statement answers."""
        return self._new_cursor().execute(statement, parameters)

    def executemany(self, statement: str, parameters: Iterable[Any], /) -> _Cursor:
        """A cursor after the statement was done for each of the rows of parameters."""
        return self._new_cursor().executemany(statement, parameters)

    def executescript(self, script: str, /) -> _Cursor:
        """A cursor after all statements of a script."""
        return self._new_cursor().executescript(script)

    def _new_cursor(self) -> _Cursor:
        return self.cursor(_Cursor)

    def commit(self) -> None:
        """Make what was written durable, or undo it and raise RunGivenUp."""
        try:
            self.waiting(super().commit)
        except RunGivenUp:
            self.undo()
            raise

    def undo(self) -> None:
        """Undo what was written since the last commit, as far as the disk lets us."""
        try:
            super().rollback()
        except sqlite3.Error:
            return
            # ^ SQLite undoes it itself when the file is opened next

    def backup_to(self, path: str) -> None:
        """Write a copy of the whole database to a new file, one file that needs nothing beside it."""
        copy = connected(path)
        try:
            self.waiting(lambda: super(Database, self).backup(copy))
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()

    def waiting(self, action: Callable[[], _Value]) -> _Value:
        """What `action` returns; where another holds the lock, tried again for as long as our patience lasts."""
        began, is_told = time.monotonic(), False
        while True:
            try:
                return action()
            except sqlite3.Error as error:
                waited = time.monotonic() - began
                if primary_code(error) not in _BUSY or waited > self.patience:
                    raise in_words(error, self.place) from error
                if self.tell is not None and not is_told and waited > _TOLD_AFTER_SECONDS:
                    self.tell(f"{self.place} is locked by another program; waiting for it")
                    is_told = True


class _Cursor(sqlite3.Cursor):
    connection: Database

    def execute(self, statement: str, parameters: Any = (), /) -> Self:
        return self.connection.waiting(lambda: super(_Cursor, self).execute(statement, parameters))

    def executemany(self, statement: str, parameters: Iterable[Any], /) -> Self:
        rows = list(parameters)
        # ^ a second try needs them again
        return self.connection.waiting(lambda: super(_Cursor, self).executemany(statement, rows))

    def executescript(self, script: str, /) -> Self:
        self.connection.waiting(lambda: super(_Cursor, self).executescript(script))
        return self

    def fetchone(self) -> Any:
        return self.connection.waiting(super().fetchone)

    def fetchall(self) -> list[Any]:
        return list(self)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override] # costs a row less than a __next__ of ours
        try:
            while rows := super().fetchmany(_ROWS_AT_ONCE):
                yield from rows
        except sqlite3.Error as error:
            raise in_words(error, self.connection.place) from error


def connected(database: str, place: str | None = None, *, uri: bool = False) -> Database:
    """A connection to a file, ":memory:" or "" (a temporary one), called `place` in messages; raises RunGivenUp."""
    place = database if place is None else place
    try:
        db: Database = sqlite3.connect(
            database, timeout=_ROUND_SECONDS, isolation_level="IMMEDIATE", factory=Database, uri=uri
        )
        # ^ immediate: a writer waits for its lock where it begins, and not halfway, with work done for nothing
    except sqlite3.Error as error:
        raise in_words(error, place) from error
    db.place = place
    return db


def gone(place: str) -> RunGivenUp:
    """What to raise where the file is no longer the one that was opened: what is written to it is lost."""
    words = "the ledger was deleted or replaced while it was in use"
    return RunGivenUp(f"{place}: {words}; run again: what it told of is made again, to the same bytes")


@contextlib.contextmanager
def sound(place: str) -> Iterator[None]:
    """Take what is no JSON, where the ledger should hold some, for damage to it: raises ConfigError."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise ConfigError(str(_damaged(place, error))) from error


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's code for the kind of an error; 0 for one of Python's own module."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def in_words(error: sqlite3.Error, place: str) -> RunGivenUp:
    """What to raise for an error: a sentence with the ledger's place, what is wrong with it, and what to do."""
    code, primary = getattr(error, "sqlite_errorcode", 0), primary_code(error)
    if primary in _FULL or code in _FULL:
        return RunGivenUp(f"{place}: the ledger cannot be written: the disk is full; make room, and {_GOES_ON}")
    if primary in _BUSY:
        return RunGivenUp(f"{place}: another program holds the ledger locked; close that, and {_GOES_ON}")
    if primary == sqlite3.SQLITE_IOERR and not Path(place).exists():
        return gone(place)
    if primary == sqlite3.SQLITE_IOERR:
        return RunGivenUp(f"{place}: the disk of the ledger fails ({error}); check it, and {_GOES_ON}")
    if primary == sqlite3.SQLITE_READONLY:
        return LedgerUnusable(f"{place}: the ledger cannot be written: it is read-only, or another user's")
    if primary in _FORBIDDEN:
        return LedgerUnusable(f"{place}: the ledger cannot be opened; check who may read and write it and its folder")
    if primary in _DAMAGED or not code:
        return _damaged(place, error)
    return LedgerUnusable(f"{place}: the ledger cannot be written: {error}")


def _damaged(place: str, error: Exception) -> LedgerUnusable:
    return LedgerUnusable(f"{place}: cannot be read as a ledger ({error}): it is damaged; {AGAIN}")
