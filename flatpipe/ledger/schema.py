"""The ledger's file: opening it, its tables, and how an older ledger gets what it lacks."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from flatpipe.errors import ConfigError

_VERSION = 3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
  run_id TEXT PRIMARY KEY, started TEXT, finished TEXT, state TEXT, config TEXT, summary TEXT);
CREATE TABLE IF NOT EXISTS progress (
  run_id TEXT PRIMARY KEY, began REAL, updated REAL, images INTEGER, pairs INTEGER, done INTEGER, failed INTEGER,
  pairs_done INTEGER);
CREATE TABLE IF NOT EXISTS settings (digest TEXT PRIMARY KEY, choices TEXT);
CREATE TABLE IF NOT EXISTS images (
  image_id PRIMARY KEY, path, size INTEGER, stamp TEXT, frame INTEGER, content TEXT, width INTEGER, height INTEGER,
  distinct_colors INTEGER, notes TEXT, seconds REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS flats (
  image_id, k INTEGER, settings TEXT, content TEXT, n_colors INTEGER, mse REAL, palette TEXT, weights TEXT,
  bytes INTEGER, sha256 TEXT, seconds REAL, metrics TEXT DEFAULT '{}', PRIMARY KEY (image_id, k)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sweeps (
  image_id PRIMARY KEY, settings TEXT, content TEXT, animation_bytes INTEGER, animation_sha256 TEXT,
  palettes_bytes INTEGER, palettes_sha256 TEXT, seconds REAL, files TEXT DEFAULT '{}') WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retired (name PRIMARY KEY, sha256 TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
  image_id PRIMARY KEY, path, stage TEXT, error TEXT, message TEXT, run_id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS planned (
  image_id PRIMARY KEY, path, size INTEGER, stamp TEXT, frame INTEGER, ks TEXT, sweep INTEGER, reason TEXT)
  WITHOUT ROWID;
"""
_ADDED = (("sweeps", "files", "TEXT DEFAULT '{}'"), ("flats", "metrics", "TEXT DEFAULT '{}'"))
# ^ columns that a ledger of an earlier version lacks: table, column, type


def connect(path: str | None, *, read_only: bool) -> sqlite3.Connection:
    """A connection to a ledger with all its tables, in memory when path is None; raises ConfigError when it is none."""
    try:
        db = _opened(path, read_only=read_only)
        if db.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
            db = _in_memory(db) if read_only else db
            _upgrade(db)
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{path}: cannot be read as a ledger ({error}); is it damaged?") from error
    return db


def _opened(path: str | None, *, read_only: bool) -> sqlite3.Connection:
    if path is None:
        return sqlite3.connect(":memory:")
    if read_only:
        return sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, timeout=20)
    db = sqlite3.connect(path, timeout=20)
    db.execute("PRAGMA synchronous = NORMAL")
    # ^ a commit lost in a power cut only means work done twice
    return db


def _in_memory(db: sqlite3.Connection) -> sqlite3.Connection:
    """A copy that a reader may upgrade; only ledgers of an earlier version take this way."""
    copy = sqlite3.connect(":memory:")
    db.backup(copy)
    db.close()
    return copy


def _upgrade(db: sqlite3.Connection) -> None:
    """Make what is missing of the tables; what they hold stays."""
    db.executescript(_SCHEMA)
    for table, column, kind in _ADDED:
        if column not in {row[1] for row in db.execute(f"PRAGMA table_info({table})")}:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    db.execute(f"PRAGMA user_version = {_VERSION}")
    db.commit()
