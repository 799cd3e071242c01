"""A ledger in trouble: whatever SQLite meets is one sentence of ours, and a way on."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import write_image
from ledger_builders import planned, record_images

from flatpipe.cli import cli
from flatpipe.errors import ConfigError, FlatpipeError, RunGivenUp
from flatpipe.ledger import database, ledger, schema
from flatpipe.ledger.database import Database, in_words
from flatpipe.ledger.ledger import Ledger

CODES = [code for name, code in vars(sqlite3).items() if name.startswith("SQLITE_") and isinstance(code, int)]


def _error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("words of SQLite's")
    error.sqlite_errorcode = code
    return error


def test_every_error_of_sqlite_is_a_sentence_about_the_ledger() -> None:
    """Whatever its code, an error gives a run up with the ledger's path and words of ours."""
    for code in CODES:
        told = in_words(_error(code), "/out/ledger.sqlite")
        assert isinstance(told, RunGivenUp)
        assert str(told).startswith("/out/ledger.sqlite: ")
        assert "ledger" in str(told).removeprefix("/out/ledger.sqlite: ")


@pytest.mark.parametrize(("code", "words"), [
    (sqlite3.SQLITE_FULL, "the disk is full; make room, and run again"),
    (sqlite3.SQLITE_IOERR_SHMSIZE, "the disk is full"),
    (sqlite3.SQLITE_IOERR_FSYNC, "the disk of the ledger fails"),
    (sqlite3.SQLITE_BUSY_SNAPSHOT, "another program holds the ledger"),
    (sqlite3.SQLITE_READONLY_DIRECTORY, "read-only, or another user's"),
    (sqlite3.SQLITE_CORRUPT_INDEX, "it is damaged; move it away and run again"),
    (sqlite3.SQLITE_CANTOPEN_ISDIR, "check who may read and write it"),
])  # fmt: skip
def test_kinds_are_told_apart_by_their_codes(code: int, words: str) -> None:
    """Full, failing, locked, forbidden and damaged are different sentences, whatever words SQLite has for them."""
    assert words in str(in_words(_error(code), __file__))


# --- a file that cannot serve ----------------------------------------------------------------------------------------


def _with_sql(*statements: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    return change


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _scribble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:] = bytes(number * 7 % 251 for number in range(len(content) - 100))
    path.write_bytes(content)


def _foreign(path: Path) -> None:
    path.unlink()
    _with_sql("CREATE TABLE songs (title TEXT)")(path)


_JSON = (("runs", "config"), ("sweeps", "sizes"), ("sweeps", "files"), ("images", "notes"), ("flats", "metrics"))
TROUBLES = {
    "newer": (_with_sql("PRAGMA user_version = 99"), "a newer flatpipe"),
    "foreign": (_foreign, "this database is not flatpipe's"),
    "no database": (lambda path: path.write_bytes(b"not a database at all" * 500), "it is damaged; move it away"),
    "cut": (_cut, "it is damaged; move it away"),
    "scribbled": (_scribble, "it is damaged; move it away"),
    "no JSON": (
        _with_sql(*(f"UPDATE {table} SET {column} = '{{'" for table, column in _JSON)),
        "it is damaged; move it away",
    ),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "the ledger cannot be opened"),
}
COMMANDS = ("run", "plan", "status", "verify", "report", "explain 00.png", "clean")
CASES = [
    (command, trouble) for command in COMMANDS for trouble in TROUBLES if (command, trouble) != ("status", "no JSON")
]
# ^ status reads none


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a ledger that holds an image as a run leaves it."""
    folder = tmp_path_factory.mktemp("sound")
    write_image(folder / "photos" / "00.png")
    (folder / "pipeline.yaml").write_text("input: {path: photos}\noutput: {path: out}\nflatten: {k: 2}\n")
    (folder / "out").mkdir()
    record_images(folder / "out" / "ledger.sqlite", [f"{n:02d}.png" for n in range(40)])
    return folder


@pytest.mark.parametrize(("command", "trouble"), CASES)
def test_a_ledger_that_cannot_serve_is_one_sentence(
    command: str, trouble: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command ends with exit 2 or 3 and the sentence, and leaves the file as it was."""
    damage, words = TROUBLES[trouble]
    subprocess.run(["cp", "-r", str(sound), str(tmp_path / "copy")], check=True)
    path = tmp_path / "copy" / "out" / "ledger.sqlite"
    damage(path)
    before = path.read_bytes() if path.is_file() else b""
    monkeypatch.chdir(tmp_path / "copy")
    with pytest.raises(FlatpipeError, match=words) as told:
        cli.main(command.split(), standalone_mode=False)

    assert told.value.exit_code in (2, 3)
    assert "\n" not in str(told.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.parametrize("command", ["status", "run", "verify"])
@pytest.mark.skipif(os.getuid() != 0, reason="only root can run a command as another user")
def test_a_ledger_of_another_user_is_a_sentence(
    command: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not read the ledger, or not enter its folder, is told so, with exit 2."""
    subprocess.run(["cp", "-r", str(sound), str(tmp_path / "copy")], check=True)
    for folder in (tmp_path / "copy", tmp_path, *tmp_path.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o055)
    monkeypatch.chdir(tmp_path / "copy")
    with contextlib.suppress(FlatpipeError):
        cli.main([command, "-s", "output.path=elsewhere", "-s", "input.path=nowhere"], standalone_mode=False)
        # ^ imports what the command needs while we may read it
    for refused in ("out/ledger.sqlite", "out"):
        Path(refused).chmod(0o600)
        with _as_nobody(), pytest.raises(ConfigError, match=r"ledger.*cannot be|output.path cannot be"):
            cli.main([command], standalone_mode=False)


@contextlib.contextmanager
def _as_nobody() -> Iterator[None]:
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


# --- trouble while it is written -------------------------------------------------------------------------------------


def test_a_full_disk_ends_in_a_sentence_and_keeps_what_was_committed(tmp_path: Path) -> None:
    """Where SQLite finds no room, RunGivenUp says so; the ledger is whole and has what was committed before."""
    path = tmp_path / "ledger.sqlite"
    record_images(path, ["before.png"])
    with closing(Ledger(str(path))) as full:
        pages = full._db.execute("PRAGMA page_count").fetchone()[0]
        full._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(RunGivenUp, match="the disk is full"):
            full.store_plan([planned(f"{n:09d}.png") for n in range(9999)])
        full.undo()
    with closing(Ledger(str(path), read_only=True)) as kept:
        assert list(kept.image_ids()) == ["before.png"]
        assert kept._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_ledger_that_is_gone_under_a_run_is_noticed(replaced: bool, tmp_path: Path) -> None:
    """A file that was deleted or replaced while it is written ends the run: what is recorded there is lost."""
    path = tmp_path / "ledger.sqlite"
    opened = Ledger(str(path))
    path.unlink()
    if replaced:
        path.write_bytes(b"")

    def write() -> None:
        opened.store_plan([planned("a.png")])
        opened.commit()

    with pytest.raises(RunGivenUp, match="deleted or replaced while it was in use; run again"):
        write()
    opened.undo()
    opened.close()


# --- others at the ledger --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own_disk", [True, False], ids=["own disk", "network"])
def test_a_ledger_is_written_ahead_where_that_is_safe(
    own_disk: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WAL on a local disk, a rollback journal on a network's; either way one file is left when it is closed."""
    monkeypatch.setattr(schema, "is_own_disk", lambda path: own_disk)
    for _ in range(2):
        with closing(Ledger(str(tmp_path / "ledger.sqlite"))) as opened:
            opened.store_plan([planned("a.png")])
            opened.commit()
            assert schema.is_write_ahead(opened._db) == own_disk
        assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite"]


def test_a_reader_that_stays_does_not_stop_the_writer(tmp_path: Path) -> None:
    """With a cursor open in another connection, before and while it is written, nothing waits."""
    path = tmp_path / "ledger.sqlite"
    record_images(path, [f"{n}.png" for n in range(300)])
    with closing(sqlite3.connect(path)) as reader:
        rows = reader.execute("SELECT image_id FROM images")
        rows.fetchone()
        began = time.monotonic()
        record_images(path, [f"more-{n}.png" for n in range(300)])

        assert time.monotonic() - began < database.READER_PATIENCE
        assert len(rows.fetchall()) == 299
    with closing(Ledger(str(path), read_only=True)) as known:
        assert len(list(known.image_ids())) == 600


@pytest.mark.parametrize("own_disk", [True, False], ids=["own disk", "network"])
def test_a_lock_is_waited_for_and_told(own_disk: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program writes or reads, a run waits, longer than SQLite alone would, says so once, and goes on."""
    monkeypatch.setattr(schema, "is_own_disk", lambda path: own_disk)
    monkeypatch.setattr(database, "_ROUND_SECONDS", 0.05)
    monkeypatch.setattr(database, "_TOLD_AFTER_SECONDS", 0.2)
    path, told = tmp_path / "ledger.sqlite", list[str]()
    opened = Ledger(str(path), tell=told.append)
    opened.commit()
    other = sqlite3.connect(path, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(1.0, other.rollback)
    timer.start()
    opened.store_plan([planned("a.png")])
    opened.commit()
    timer.join()
    other.close()

    assert opened.planned_counts().images == 1
    assert told == [f"{path} is locked by another program; waiting for it"]
    opened.close()


def test_a_lock_that_never_goes_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When patience ends, the run is given up in words, and what was to be written can be written later."""
    monkeypatch.setattr(database, "_ROUND_SECONDS", 0.05)
    monkeypatch.setattr(schema, "WRITER_PATIENCE", 0.2)
    path = tmp_path / "ledger.sqlite"
    opened = Ledger(str(path))
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RunGivenUp, match="another program holds the ledger locked"):
            opened.store_plan([planned("a.png")])
    opened.store_plan([planned("a.png")])
    opened.close()
    with closing(Ledger(str(path), read_only=True)) as kept:
        assert kept.planned_counts().images == 1


def test_a_read_only_folder_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite can put no file beside the ledger, it is read all the same: archived outputs, a mounted image."""
    path = tmp_path / "ledger.sqlite"
    record_images(path, ["a.png"])
    monkeypatch.setattr(schema, "connected", _without_a_place_beside)
    with closing(Ledger(str(path), read_only=True)) as known:
        assert list(known.image_ids()) == ["a.png"]
    assert [found.name for found in tmp_path.iterdir()] == ["ledger.sqlite"]


def _without_a_place_beside(name: str, place: str | None = None, *, uri: bool = False) -> Database:
    if uri and "immutable" not in name:
        raise in_words(_error(sqlite3.SQLITE_CANTOPEN), str(place))
    return database.connected(name, place, uri=uri)


# --- more than is said in the ledger ---------------------------------------------------------------------------------


def test_outputs_settle_before_the_ledger_tells_of_them(tmp_path: Path) -> None:
    """Before each commit that tells of outputs they are on their disk; a commit of plans alone waits for nothing."""
    path, seen = tmp_path / "ledger.sqlite", list[int]()

    def settle() -> None:
        with closing(sqlite3.connect(path)) as other:
            seen.append(other.execute("SELECT count(*) FROM images").fetchone()[0])

    with closing(Ledger(str(path), settle=settle)) as opened:
        opened.store_plan([planned("a.png")])
        opened.commit()
        assert seen == []
        record_images(opened, [f"{n:03d}.png" for n in range(130)])
        opened.commit()
    assert seen == [0, 64, 128]


def test_a_disk_that_cannot_settle_ends_the_run(tmp_path: Path) -> None:
    """When the outputs are not safe, the ledger does not tell of them."""
    path = tmp_path / "ledger.sqlite"

    def settle() -> None:
        raise RunGivenUp("the output cannot be written")

    opened = Ledger(str(path), settle=settle)
    record_images(opened, ["a.png"])
    with pytest.raises(RunGivenUp, match="the output cannot be written"):
        opened.commit()
    opened.undo()
    opened.close()
    with closing(Ledger(str(path), read_only=True)) as kept:
        assert list(kept.image_ids()) == []


def test_a_slow_disk_gets_rarer_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where settling takes long, commits take a tenth of the time, however fast images come."""
    clock = [0.0]
    monkeypatch.setattr(ledger.time, "monotonic", lambda: clock[0])
    settled = list[float]()

    def settle() -> None:
        clock[0] += 2.0
        settled.append(clock[0])

    opened = Ledger(str(tmp_path / "ledger.sqlite"), settle=settle)
    for number in range(600):
        clock[0] += 0.1
        record_images(opened, [f"{number}-{n}.png" for n in range(16)])
    opened.close()
    assert 3 <= len(settled) <= 6
