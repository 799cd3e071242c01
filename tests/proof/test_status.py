"""flatpipe status: the ledger of a run under way, finished, killed; from its config or its output folder."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from commands import Project
from waiting import wait_for

ONE_BY_ONE = {"scheduler": "threads", "workers": 1, "granularity": "image"}


def test_a_run_is_watched_killed_and_finished(tmp_path: Path) -> None:
    """While a run goes on, after a kill -9 and at its end, status says so with the counts of the ledger."""
    project = Project.make(tmp_path, images=24, execution=ONE_BY_ONE)
    process = project.start("run", faults={"slow": 0.3})
    wait_for(lambda: _done(project) >= 2)
    running = json.loads(project.flatpipe("status", "--json").stdout)
    process.kill()
    process.communicate()
    killed = project.flatpipe("status").stdout
    (project.folder / "photos" / "bad.png").write_bytes(b"nothing")
    project.flatpipe("run")
    shutil.move(project.out, project.folder / "moved")
    finished = json.loads(project.flatpipe("status", "moved", "--json").stdout)

    assert (running["state"], running["images"], running["due"]) == ("running", 24, 24)
    assert running["done"] >= 2
    assert running["left"] == 24 - running["done"] > 0
    assert 0 < running["images_per_second"] < 3.4
    assert running["seconds_left"] == pytest.approx(running["left"] / running["images_per_second"], rel=1e-5)
    # ^ JSON has six digits
    assert ": killed" in killed.splitlines()[0]
    assert "goes on from here" in killed
    assert (finished["state"], finished["failed"], finished["left"], finished["images"]) == ("finished", 1, 0, 25)
    assert finished["pairs_done"] == 3 * finished["done"]
    assert finished["seconds_left"] is None


def test_a_run_that_waits_for_workers_has_all_of_its_images_left(tmp_path: Path) -> None:
    """While nothing is begun yet, status says so: what is due is left, and nothing is called up to date."""
    cluster = {"scheduler_file": "scheduler.json", "wait_for": {"timeout": "60s"}}
    project = Project.make(tmp_path, images=5, execution={"cluster": cluster})
    process = project.start("run")
    try:
        wait_for(lambda: project.flatpipe("status").returncode == 0)
        wait_for(lambda: json.loads(project.flatpipe("status", "--json").stdout)["due"] == 5)
        said, counts = project.flatpipe("status").stdout, json.loads(project.flatpipe("status", "--json").stdout)
    finally:
        process.kill()
        process.communicate()

    assert (counts["state"], counts["left"], counts["images"], counts["seconds"]) == ("starting", 5, 5, 0)
    assert "5 left" in said
    assert "no image is begun yet" in said


def test_without_a_run_there_is_a_sentence(tmp_path: Path) -> None:
    """No run, no ledger, a damaged ledger: exit 2 and what is the matter."""
    project = Project.make(tmp_path, images=1)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "ledger.sqlite").write_text("this is no database")

    for place, words in (
        ("pipeline.yaml", "no run has been here yet"),
        ("photos", "no ledger.sqlite here"),
        ("broken", "cannot be read as a ledger"),
    ):
        done = project.flatpipe("status", place)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def _done(project: Project) -> int:
    path = project.out / "ledger.sqlite"
    if not path.exists():
        return 0
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as ledger:
        try:
            row = ledger.execute("SELECT done FROM progress").fetchone()
        except sqlite3.OperationalError:
            return 0
    return row[0] if row else 0
