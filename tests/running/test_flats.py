"""output.flats, as a user meets it: which flat images are written, and what all that is told says of the others."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commands import Project

import flatpipe
from flatpipe.config import load_config
from flatpipe.plan.workspace import open_workspace
from flatpipe.proof.cleaning import Cleaning, forget, remove, stale_files
from flatpipe.proof.listed_input import ListedInput

ALONE = {"animation": {"enabled": False}, "execution": {"scheduler": "synchronous"}}


def settled(project: Project, flats: str, out: str = "out", *more: str) -> flatpipe.RunSummary:
    """What a run of the project comes to that writes these flats."""
    report = ["report.enabled=false"]
    # ^ so that all of them ask for the same beside the flats
    overrides = [f"output.flats={flats}", f"output.path={project.folder / out}", *report, *more]
    summary = flatpipe.run(project.folder / "pipeline.yaml", overrides)
    assert summary.exit_code == 0
    return summary


def lock_of(project: Project, out: str) -> str:
    """The lock of an output folder."""
    return (project.folder / out / "flatpipe.lock").read_text()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three small images, k 2..4, on one core, without animations."""
    return Project.make(tmp_path, **ALONE)


def test_tables_tell_which_flats_have_a_file(project: Project) -> None:
    """With none or the best alone results.csv has every row, and file, bytes and digest where there is one."""
    project.flatpipe("run", "-s", "output.path=every")
    project.configure(output={"path": "out", "flats": "best"}, **ALONE)
    best = project.flatpipe("run", "--json")
    project.configure(output={"path": "none", "flats": "none"}, **ALONE)
    none = project.flatpipe("run")
    every, some, no = (_rows(project, out) for out in ("every", "out", "none"))

    assert [_told(row) for row in every] == [_told(row) for row in some] == [_told(row) for row in no]
    assert {(row["file"], row["bytes"], row["sha256"]) for row in no} == {("", "", "")}
    assert [_file(row) for row in some] == [_file(row) if row["suggested"] == "1" else ("", "", "") for row in every]
    lines = [json.loads(line) for line in best.stdout.splitlines()]
    told = [flat["file"] for line in lines if line["event"] == "image" for flat in line["flats"]]
    assert sorted(filter(None, told)) == [row["file"] for row in some if row["file"]]
    assert "9 palettes and 3 sweeps to make" in none.stderr
    assert set(project.digests("none")) == {f"{n:02d}.png/palettes.json" for n in range(3)}
    for out in ("out", "none"):
        assert project.flatpipe("verify", out, "--recompute", "3").returncode == 0
    assert "no file" in project.flatpipe("explain", "00.png", "none").stdout


def _rows(project: Project, out: str) -> list[dict[str, str]]:
    with (project.folder / out / "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _told(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name not in ("file", "bytes", "sha256", "seconds")}


def _file(row: dict[str, str]) -> tuple[str, ...]:
    return row["file"], row["bytes"], row["sha256"]


@pytest.mark.parametrize("more", [(), ("flatten.k=auto", "flatten.auto.max=5"), ("palette.scope=folder",)], ids=repr)
def test_switching_comes_to_what_a_fresh_run_gives(more: tuple[str, ...], project: Project) -> None:
    """From all to none, back, and to the best alone: lock and files are a fresh run's, once `clean` has removed others.

    What is there already is not made twice.
    """
    for flats in ("all", "none", "all", "best"):
        assert settled(project, flats, "out", *more).done == 3
        assert settled(project, flats, "out", *more).pairs == 0
        settled(project, flats, f"fresh {flats}", *more)
        assert lock_of(project, "out") == lock_of(project, f"fresh {flats}")
        _clean(project, flats, more)
        assert project.digests("out") == project.digests(f"fresh {flats}")


def _clean(project: Project, flats: str, more: tuple[str, ...]) -> None:
    """Remove what is no longer asked for, as `flatpipe clean` does."""
    overrides = [f"output.flats={flats}", "report.enabled=false", *more]
    config = load_config(project.folder / "pipeline.yaml", overrides)
    with open_workspace(config, "amend") as workspace, closing(ListedInput(config)) as listed:
        places = workspace.ledger, workspace.outputs, listed
        for file in list(stale_files(*places, workspace.ks, Cleaning())):
            assert file.is_ours
            remove(workspace.outputs, file)
        forget(workspace.ledger, listed, workspace.ks)


def test_one_more_k_moves_the_best_flat(project: Project) -> None:
    """With a wider range of k only that k is computed, and the outputs are a fresh run's."""
    settled(project, "best", "out", "flatten.k=auto", "flatten.auto.max=5", "flatten.auto.target=psnr>=60")
    widened = ("flatten.k=auto", "flatten.auto.max=6", "flatten.auto.target=psnr>=60")

    assert settled(project, "best", "out", *widened).pairs == 3
    settled(project, "best", "fresh", *widened)
    assert lock_of(project, "out") == lock_of(project, "fresh")
    assert [row["k"] for row in project.rows("results.csv") if row["file"]] == ["6"] * 3


def test_a_flat_that_is_gone_comes_back_alone(project: Project) -> None:
    """Of the best flats the one that was deleted is made again; without any nothing is missed."""
    settled(project, "best")
    before = project.digests()
    next(project.out.rglob("k0*.png")).unlink()

    assert settled(project, "best").pairs == 1
    assert project.digests() == before


def test_worker_processes_write_the_same(project: Project) -> None:
    """A task for each k, on workers of a cluster: the best flat alone, with sweeps, to the bytes of one core."""
    sweeps = ("animation.enabled=true", "flatten.k=auto", "flatten.auto.max=4")
    pairs = ("execution.scheduler=processes", "execution.workers=2", "execution.granularity=pair")
    settled(project, "best", "out", *sweeps)
    settled(project, "best", "other", *sweeps, *pairs)

    assert project.digests("other") == project.digests()
    assert len(project.digests()) == 3 * 4
    with sqlite3.connect(project.out / "ledger.sqlite") as db:
        files = dict[Any, int](db.execute("SELECT image_id, sum(sha256 != '') FROM flats GROUP BY image_id").fetchall())
    assert files == {f"{n:02d}.png": 1 for n in range(3)}
