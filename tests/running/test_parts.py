"""A run in parts: done beside each other, killed, resumed, merged, and in the end what one run would have left."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from commands import Project
from waiting import wait_for

from flatpipe.config import Config, load_config
from flatpipe.errors import ExitCode
from flatpipe.pipeline import run
from flatpipe.plan.parts.part import RunPart, index_of
from flatpipe.plan.request import Request
from flatpipe.plan.workspace import open_workspace
from flatpipe.proof.parts import PartsStatus, parts_status
from flatpipe.running.merging import Merged, merge
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


def test_parts_that_were_killed_come_to_what_one_run_does(project: Project, one_run: Path) -> None:
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

    refused = project.flatpipe("merge", "--json")
    told = [json.loads(line) for line in refused.stdout.splitlines()]
    assert refused.returncode == ExitCode.DIFFERENT
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
    assert project.flatpipe("verify", "-q").returncode == ExitCode.DONE
