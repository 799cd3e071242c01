"""A run in parts: done beside each other, killed, resumed, merged, and in the end what one run would have left."""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import write_image
from commands import Project
from waiting import wait_for

from flatpipe.cli import cli
from flatpipe.cli.sentences.parts import lacking_text
from flatpipe.config import Config, load_config
from flatpipe.errors import ConfigError, ExitCode, RunGivenUp
from flatpipe.pipeline import run
from flatpipe.plan.lease import new_lease
from flatpipe.plan.parts.part import RunPart, index_of
from flatpipe.plan.request import Request
from flatpipe.plan.workspace import open_workspace
from flatpipe.proof.parts import PartsStatus, parts_status
from flatpipe.proof.recorded import recorded_config
from flatpipe.running import merging
from flatpipe.running.merging import Merged, merge
from flatpipe.storage.remote import RemoteRoot
from flatpipe.summaries import RunSummary

IMAGES = 16
SYNCHRONOUS = {"scheduler": "synchronous"}
NOT_COMPARED = ("seconds", "path")


def _project(folder: Path, images: int = IMAGES) -> Project:
    project = Project.make(folder, images, execution=SYNCHRONOUS)
    (folder / "photos" / "broken.png").write_bytes(b"no picture")
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Sixteen small images and a broken one."""
    return _project(tmp_path)


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one run leaves of the same images."""
    project = _project(tmp_path_factory.mktemp("one"))
    run(_config(project))
    return project.out


def _config(project: Project, *changes: str) -> Config:
    return load_config(str(project.folder / "pipeline.yaml"), changes)


def _part(config: Config, index: int, count: int = 4, **asked: object) -> RunSummary:
    return run(config, Request(part=RunPart(count, index), **asked))  # type: ignore[arg-type]


def _ids(index: int, count: int = 4) -> list[str]:
    """The images of a part."""
    return [image_id for n in range(IMAGES) if index_of(image_id := f"{n:02d}.png", count) == index]


def _merge(config: Config) -> Merged:
    return merge(config, lambda text: None)


def _typed(project: Project, *words: str) -> ExitCode:
    """The exit code of a command that is typed with the project's config."""
    code: ExitCode = cli.main([*words, str(project.folder / "pipeline.yaml")], standalone_mode=False)
    return code


def _status(config: Config) -> PartsStatus:
    with open_workspace(config, "read", named=()) as workspace:
        return parts_status(workspace)


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{name: cell for name, cell in row.items() if name not in NOT_COMPARED} for row in csv.DictReader(file)]


def _check_as_one(out: Path, one_run: Path) -> None:
    """The outputs are those of one run: the lock to the byte, the tables but for seconds and places, a report."""
    assert (out / "flatpipe.lock").read_bytes() == (one_run / "flatpipe.lock").read_bytes()
    for name in ("results.csv", "failures.csv"):
        assert _table(out / name) == _table(one_run / name)
    assert (out / "index.html").is_file()
    assert not list(out.rglob("flatpipe.lease"))
    assert not list(out.rglob(".partial"))


# --- what it must show ---------------------------------------------------------------------------------------------


def test_parts_that_were_killed_come_to_what_one_run_does(
    project: Project, one_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four parts in any order, two of them killed and gone on with side by side: the lock is that of one run.

    While one is not done, merging exits with 4, names it, and writes nothing.
    """
    config = _config(project)
    for index in (0, 1):
        first, *_, last = _ids(index)
        killed = project.start("run", "--shard", f"{index}/4", faults={"stuck": [last]})
        wait_for((project.out / "images" / first).exists)
        killed.kill()
        killed.communicate()
    _part(config, 3)

    assert _typed(project, "merge", "--json") == ExitCode.DIFFERENT
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [part["state"] for part in told[:-1]] == ["killed", "killed", "missing", "done"]
    assert told[-1]["array"] == "0-2"
    assert not (project.out / "ledger.sqlite").exists()

    hold = project.folder / "hold"
    hold.touch()
    both = [project.start("run", "-q", "--shard", f"{index}/4", faults={"hold": str(hold)}) for index in (0, 1)]
    wait_for(lambda: [part.state for part in _status(config).parts[:2]] == ["running", "running"])
    hold.unlink()
    codes = [process.communicate() and process.returncode for process in both]
    assert codes == [index == index_of("broken.png", 4) for index in (0, 1)]
    _part(config, 2)
    assert _merge(config).summary is not None
    _check_as_one(project.out, one_run)
    again = run(config)
    assert (again.done, again.current, again.failed) == (0, IMAGES, 1)
    assert _typed(project, "verify", "-q") == ExitCode.DONE


# --- what stands in the way -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def three_of_four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project of which part 2 is missing."""
    project = _project(tmp_path_factory.mktemp("three"))
    for index in (3, 0, 1):
        _part(_config(project), index)
    return project.folder


@pytest.fixture
def without_2(three_of_four: Path, tmp_path: Path) -> Project:
    """A copy of that project."""
    shutil.copytree(three_of_four, tmp_path / "project")
    return Project(tmp_path / "project")


@contextlib.contextmanager
def _ledger_of(project: Project, index: int) -> Iterator[sqlite3.Connection]:
    path = project.out / "parts" / f"{index}-of-4" / "ledger.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        yield db


def _done_but(project: Project, *statements: str) -> None:
    """Part 2 done, and then its ledger as something else has left it."""
    _part(_config(project), 2)
    with _ledger_of(project, 2) as db:
        for statement in statements:
            db.execute(statement)


def _come_late(project: Project) -> None:
    _part(_config(project), 2)
    write_image(project.folder / "photos" / "late.png", seed=99)
    _part(_config(project), 3)


KILLED = ("UPDATE runs SET state = 'running'", "UPDATE progress SET done = done - 1")
LOST = "DELETE FROM sweeps WHERE image_id = (SELECT min(image_id) FROM sweeps)"
IN_THE_WAY: dict[str, tuple[Callable[[Project], object], str, str]] = {
    "missing": (lambda project: None, "part 2/4: missing", "2"),
    "killed": (lambda project: _done_but(project, *KILLED), "part 2/4: killed, 3 images: 2 done, 1 left", "2"),
    "given up": (
        lambda project: _done_but(project, "UPDATE runs SET state = 'the disk is full'"),
        "part 2/4: ended early, 3 images: 3 done (the disk is full)",
        "2",
    ),
    "asked for some": (
        lambda project: _part(_config(project), 2, only=(_ids(2)[0],)),
        "part 2/4: unfinished, 3 images: 1 done, 2 left (2 images not selected by --only, --only-failed or --limit)",
        "2",
    ),
    "other settings": (
        lambda project: _part(_config(project, "flatten.seed=1"), 2),
        "part 2/4: outdated, 3 images: 3 done (done with other settings than those of the config)",
        "2",
    ),
    "an image that came late": (_come_late, "(the input has changed since: 17 images then, 18 now)", "0-2"),
    "a newer flatpipe's": (lambda project: _done_but(project, "PRAGMA user_version = 99"), "a newer flatpipe", "2"),
    "an image that nobody did": (lambda project: _done_but(project, LOST), "unfinished, 3 images: 2 done, 1 left", "2"),
    "another split": (
        lambda project: _part(_config(project), 0, 2),
        "parts of another split lie beside them: 0/4, 1/4, 3/4",
        "1",
    ),
}


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_what_is_not_done_is_named_and_nothing_is_merged(case: str, without_2: Project) -> None:
    """Each part that stands in the way is named with the reason, and listed as sbatch takes it; no ledger is made."""
    spoil, words, array = IN_THE_WAY[case]
    spoil(without_2)
    merged = _merge(_config(without_2))

    assert merged.summary is None
    assert words in lacking_text(merged.status, quiet=False)
    assert f"missing or failed: {array}" in lacking_text(merged.status, quiet=False).splitlines()
    with open_workspace(_config(without_2), "read") as workspace:
        assert workspace.ledger.last_run() is None
    assert not (without_2.out / "flatpipe.lock").exists()


def test_a_part_at_work_is_waited_for_by_name(without_2: Project) -> None:
    """While a part runs, merging is refused and names it; it is in no list of parts to run. Other parts may begin."""
    config = _config(without_2)
    with open_workspace(config, "run", part=RunPart(4, 2)):
        status = _merge(config).status
        assert [part.state for part in status.lacking] == ["running"]
        assert status.array == ""
        assert _part(config, 0).current


def test_where_no_part_has_been_there_is_nothing_to_merge(project: Project) -> None:
    """Without any part, merging is an error that says how to make one; nothing is left behind."""
    with pytest.raises(ConfigError, match="no part of a run is here; `flatpipe run --shard 0/4`"):
        _merge(_config(project))
    assert not project.out.exists()


@pytest.mark.parametrize(("change", "asked", "words"), [
    ("palette.scope=collection", {}, "palette.scope.*images share palettes.*palette.frozen: true"),
    ("flatten.seed=0", {"lock": ""}, "a lock tells of all images"),
])  # fmt: skip
def test_what_no_part_can_do_alone_is_refused(change: str, asked: dict[str, str], words: str, project: Project) -> None:
    """Palettes that all images share, and the lock, need all of them: the error says what to do instead."""
    with pytest.raises(ConfigError, match=words):
        _part(_config(project, change), 0, **asked)
    assert not project.out.exists()


def test_frozen_palettes_reach_every_part(tmp_path: Path) -> None:
    """With the palettes of one run frozen, new images are done in parts, with them: the lock is that of a whole run."""
    project, shared = Project.make(tmp_path, 3, execution=SYNCHRONOUS), "palette.scope=collection"
    run(_config(project, shared))
    shutil.copytree(project.out, project.folder / "whole")
    for n in range(3, 8):
        write_image(project.folder / "photos" / f"{n:02d}.png", seed=n)
    frozen = (shared, "palette.frozen=true")
    assert [_part(_config(project, *frozen), index, 2).pairs for index in (0, 1)] == [3 * 1, 3 * 4]
    assert _merge(_config(project, *frozen)).summary is not None
    run(_config(project, *frozen, "output.path=whole"))

    locks = [(project.folder / out / "flatpipe.lock").read_bytes() for out in ("out", "whole")]
    assert locks[0] == locks[1]


# --- what is known is not done again --------------------------------------------------------------------------------


def test_ledgers_take_in_what_others_know(project: Project, one_run: Path) -> None:
    """A part begins with what a whole run knows, and a whole run with what parts do, merged or not: none is done twice.

    What was merged before stays when parts run again and are merged again.
    """
    config, later = _config(project), project.folder / "photos" / "15.png"
    content = later.read_bytes()
    later.unlink()
    run(config, Request(only=("00.png",)))
    done = [_part(config, index) for index in range(4)]
    assert sum(part.pairs for part in done) == 3 * (IMAGES - 2)
    assert _part(config, 1).pairs == 0
    whole = run(config)
    assert (whole.pairs, whole.current) == (0, IMAGES - 1)

    later.write_bytes(content)
    done = [_part(config, index) for index in range(4)]
    assert sum(part.pairs for part in done) == 3
    summary = _merge(config).summary
    assert summary is not None
    assert (summary.images, summary.done, summary.failed) == (IMAGES + 1, IMAGES, 1)
    assert summary.exit_code == ExitCode.SOME_FAILED
    _check_as_one(project.out, one_run)

    before = (project.out / "flatpipe.lock").read_bytes()
    shutil.rmtree(project.out / "parts")
    assert [_part(config, index, 2).pairs for index in (1, 0)] == [0, 0]
    assert _merge(config).summary is not None
    assert _merge(config).summary == replace(_merge(config).summary, seconds=pytest.approx(0, abs=1e9))  # type: ignore[type-var]
    assert (project.out / "flatpipe.lock").read_bytes() == before


def test_a_failure_that_a_part_has_mended_is_forgotten(project: Project) -> None:
    """An image that failed in a whole run and then succeeded in a part is no failure after merging."""
    config = _config(project)
    run(config)
    write_image(project.folder / "photos" / "broken.png", seed=50)
    for index in range(4):
        _part(config, index)
    summary = _merge(config).summary

    assert summary is not None
    assert (summary.failed, summary.exit_code) == (0, ExitCode.DONE)
    assert _table(project.out / "failures.csv") == []


def test_machines_that_share_a_store_alone_are_merged_there(project: Project, one_run: Path, tmp_path: Path) -> None:
    """With the output behind a URL and a state folder on each machine, parts are merged from the copies they left."""
    place = f"memory://{uuid.uuid4().hex}/flat"
    configs = [
        _config(project, f"output.path={place}", f"execution.state_path={tmp_path / machine}")
        for machine in ("one", "two", "three")
    ]
    _part(configs[0], 0, 2)
    _part(configs[1], 1, 2, only=(_ids(1, 2)[0],))
    left = len(_ids(1, 2)) - 1
    assert [(part.state, part.left) for part in _status(configs[2]).parts] == [("done", 0), ("unfinished", left)]
    RemoteRoot(place).write(
        "parts/1-of-2/flatpipe.lease", replace(new_lease("/gone"), host="gone", machine="gone", renewed=0).content
    )
    assert [part.state for part in _status(configs[2]).parts] == ["done", "killed"]
    RemoteRoot(place).remove("parts/1-of-2/flatpipe.lease")
    _part(configs[1], 1, 2)
    merged = _merge(configs[2])

    assert merged.summary is not None
    assert RemoteRoot(place).read("flatpipe.lock") == (one_run / "flatpipe.lock").read_bytes()
    assert [part.state for part in _status(configs[2]).parts] == ["merged", "merged"]
    assert run(configs[0]).pairs == 0


def test_machines_that_share_nothing_are_merged_in_one_folder(project: Project, one_run: Path) -> None:
    """Parts in outputs of their own, one copied over the other, come to what one run does; an output's name will do."""
    for index in (0, 1):
        _part(_config(project, f"output.path=out{index}"), index, 2)
    shutil.copytree(project.folder / "out1", project.folder / "out0", dirs_exist_ok=True)
    shutil.rmtree(project.folder / "out1")
    merged = _merge(recorded_config(str(project.folder / "out0"), of_parts=True))

    assert merged.summary is not None
    _check_as_one(project.folder / "out0", one_run)
    again = run(_config(project, "output.path=out0"))
    assert (again.pairs, again.current) == (0, IMAGES)


def test_a_merge_that_was_cut_short_is_done_again(
    without_2: Project, one_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the ledgers are joined and the disk is full, or the process killed, then merging again writes the rest."""
    _part(_config(without_2), 2)
    with monkeypatch.context() as patched:
        patched.setattr(merging, "write_ending", _disk_full)
        with pytest.raises(RunGivenUp, match="No space left"):
            _merge(_config(without_2))
    with contextlib.closing(sqlite3.connect(without_2.out / "ledger.sqlite")) as db, db:
        db.execute("UPDATE runs SET state = 'running'")
    assert _merge(_config(without_2)).summary is not None
    _check_as_one(without_2.out, one_run)
    with open_workspace(_config(without_2), "read") as workspace:
        last = workspace.ledger.last_run()
        assert last is not None
        assert last.state == "finished"


def _disk_full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("repaired_by", ["a part", "a whole run"])
def test_what_verify_found_outlasts_a_merge(repaired_by: str, without_2: Project) -> None:
    """A file that verify has found changed is made again, though a part that has not looked says that it is right."""
    config, flat = _config(without_2), without_2.out / "images" / _ids(2)[0] / "k02.png"
    _part(config, 2)
    _merge(config)
    _part(config, 2)
    # ^ it knows now of the merge
    good = flat.read_bytes()
    flat.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert _typed(without_2, "verify", "-q") == ExitCode.DIFFERENT
    if repaired_by == "a part":
        assert _part(config, 2).pairs == 1
        assert _part(config, 2).pairs == 0
        _merge(config)
    else:
        _merge(config)
        assert run(config).pairs == 1
    assert flat.read_bytes() == good
    assert _typed(without_2, "verify", "-q") == ExitCode.DONE
