"""The ledger's file: opening it, its tables, and how an older ledger gets what it lacks."""

from __future__ import annotations

import os
from pathlib import Path

from flatpipe.errors import ConfigError, RunGivenUp
from flatpipe.ledger.database import AGAIN, WRITER_PATIENCE, Database, LedgerUnusable, connected
from flatpipe.system.disks import is_own_disk

_VERSION = 9

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
  run_id TEXT PRIMARY KEY, started TEXT, finished TEXT, state TEXT, config TEXT, summary TEXT,
  adds INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS progress (
  run_id TEXT PRIMARY KEY, began REAL, updated REAL, images INTEGER, pairs INTEGER, done INTEGER, failed INTEGER,
  pairs_done INTEGER);
CREATE TABLE IF NOT EXISTS settings (digest TEXT PRIMARY KEY, choices TEXT);
CREATE TABLE IF NOT EXISTS images (
  image_id PRIMARY KEY, path, size INTEGER, stamp TEXT, frame INTEGER, content TEXT, width INTEGER, height INTEGER,
  distinct_colors INTEGER, notes TEXT, seconds REAL, part TEXT DEFAULT '') WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS flats (
  image_id, k INTEGER, settings TEXT, content TEXT, n_colors INTEGER, mse REAL, palette TEXT, weights TEXT,
  bytes INTEGER, sha256 TEXT, seconds REAL, metrics TEXT DEFAULT '{}', given TEXT DEFAULT '',
  PRIMARY KEY (image_id, k)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sweeps (
  image_id PRIMARY KEY, settings TEXT, content TEXT, animation_bytes INTEGER, animation_sha256 TEXT,
  palettes_bytes INTEGER, palettes_sha256 TEXT, seconds REAL, files TEXT DEFAULT '{}', sizes TEXT DEFAULT '{}',
  pictures TEXT DEFAULT '{}', given TEXT DEFAULT '') WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folders (name TEXT PRIMARY KEY, stamp INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS beside (name TEXT PRIMARY KEY, sha256 TEXT, bytes INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retired (name PRIMARY KEY, sha256 TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
  image_id PRIMARY KEY, path, stage TEXT, error TEXT, message TEXT, run_id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS planned (
  image_id PRIMARY KEY, path, size INTEGER, stamp TEXT, frame INTEGER, ks TEXT, sweep INTEGER, reason TEXT,
  grp, part TEXT DEFAULT '', same_as DEFAULT '') WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS packed (
  image_id PRIMARY KEY, file TEXT, key TEXT, start INTEGER, bytes INTEGER, sha256 TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS packed_by_file ON packed (file);
CREATE TABLE IF NOT EXISTS packs (file TEXT PRIMARY KEY, sha256 TEXT, bytes INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS palettes (
  grp, k INTEGER, settings TEXT, root TEXT, digest TEXT, colors TEXT, weights TEXT, mse REAL, images INTEGER,
  PRIMARY KEY (grp, k)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counted (
  image_id PRIMARY KEY, grp, size INTEGER, stamp TEXT, content TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS part_runs (
  run_id TEXT PRIMARY KEY, part TEXT, images INTEGER, listing TEXT, settings TEXT, versions TEXT,
  planned REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS joined (run_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sums (key TEXT PRIMARY KEY, sha256 TEXT, bytes INTEGER) WITHOUT ROWID;
"""
_ADDED = (
    ("runs", "adds", "INTEGER DEFAULT 0"),
    ("sweeps", "files", "TEXT DEFAULT '{}'"),
    ("sweeps", "sizes", "TEXT DEFAULT '{}'"),
    ("sweeps", "pictures", "TEXT DEFAULT '{}'"),
    ("flats", "metrics", "TEXT DEFAULT '{}'"),
    ("flats", "given", "TEXT DEFAULT ''"),
    ("sweeps", "given", "TEXT DEFAULT ''"),
    ("planned", "grp", ""),
    ("planned", "part", "TEXT DEFAULT ''"),
    ("planned", "same_as", "DEFAULT ''"),
    ("images", "part", "TEXT DEFAULT ''"),
)
# ^ columns that a ledger of an earlier version lacks: table, column, type


_EVERY_LEDGER_HAS = {"image_id", "k", "settings", "content"}
# ^ columns of `flats`, of whatever version


def connect(path: str | None, *, read_only: bool) -> Database:
    """A connection to a ledger with all its tables, in memory when path is None.

    Raises ConfigError when the file is none, is damaged, is a newer flatpipe's, or may not be opened; RunGivenUp when
    the disk is full or failing, or another program holds it.
    """
    if path is None:
        return _upgraded(connected(":memory:", "ledger"))
    try:
        db = _opened_to_read(path) if read_only else _opened_to_write(path)
        version = _checked_version(db, path)
        if version < _VERSION:
            db = _upgraded(_in_memory(db) if read_only else db)
        if not read_only:
            _set_journal(db, path)
    except LedgerUnusable as error:
        raise ConfigError(str(error)) from error
    return db


def is_write_ahead(db: Database) -> bool:
    """Whether the ledger is written ahead in a file of its own, so that readers and the writer never wait."""
    return bool(db.execute("PRAGMA journal_mode").fetchone()[0] == "wal")


def _opened_to_write(path: str) -> Database:
    db = connected(path)
    db.patience = WRITER_PATIENCE
    db.execute("PRAGMA synchronous = FULL")
    # ^ each commit lies on its disk: it is no more than one a second
    return db


def _opened_to_read(path: str) -> Database:
    """A connection that writes nothing. Who may write the file leaves nothing beside it when it is closed."""
    may_write = os.access(path, os.W_OK) and os.access(Path(path).parent, os.W_OK)
    place = Path(path).absolute().as_uri()
    try:
        return _to_query(f"{place}?mode={'rw' if may_write else 'ro'}", path)
    except RunGivenUp:
        if Path(f"{path}-wal").exists():
            raise
        return _to_query(f"{place}?immutable=1", path)
        # ^ the folder is read-only, or its disk full: SQLite cannot put its files there, and no writer has any


def _to_query(uri: str, path: str) -> Database:
    db = connected(uri, path, uri=True)
    db.execute("PRAGMA query_only = ON")
    db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    # ^ only now the file is read
    return db


def _checked_version(db: Database, path: str) -> int:
    """The version of the schema, 0 for an empty file; raises ConfigError when this is no ledger of ours, or a newer."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and not {row[1] for row in db.execute("PRAGMA table_info(flats)")} >= _EVERY_LEDGER_HAS:
        raise ConfigError(f"{path}: this database is not flatpipe's; {AGAIN}")
    if version > _VERSION:
        raise ConfigError(
            f"{path}: written by a newer flatpipe (ledger {version}, we know {_VERSION}); update this one"
        )
    return version


def _set_journal(db: Database, path: str) -> None:
    """Write ahead where that is safe: it needs memory that all who have the file open share."""
    wanted = "wal" if is_own_disk(path) else "delete"
    patience, db.patience = db.patience, 0.0
    try:
        db.execute(f"PRAGMA journal_mode = {wanted}")
    except LedgerUnusable:
        raise
    except RunGivenUp:
        pass
        # ^ somebody reads it just now: it stays as it is, and we wait for readers where we must
    finally:
        db.patience = patience


def _in_memory(db: Database) -> Database:
    """A copy that a reader may upgrade; only ledgers of an earlier version take this way."""
    copy = connected(":memory:", db.place)
    db.backup(copy)
    db.close()
    return copy


def _upgraded(db: Database) -> Database:
    """The connection, with what was missing of the tables; what they hold stays."""
    db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    # ^ all tables or none: a file with some of them would not be known as ours
    for table, column, kind in _ADDED:
        if column not in {row[1] for row in db.execute(f"PRAGMA table_info({table})")}:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    db.execute(f"PRAGMA user_version = {_VERSION}")
    db.commit()
    return db
