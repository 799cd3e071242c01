"""flatpipe report, as a user meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two sound images and a broken one, done."""
    project = Project.make(tmp_path, images=2, animation={"enabled": False})
    (project.folder / "photos" / "broken.png").write_bytes(b"no image")
    project.flatpipe("run")
    return project


def files_of(out: Path) -> dict[str, bytes]:
    """The report and the tables, by name; pictures excepted."""
    files = [out / "index.html", *out.glob("*.csv"), *(out / "gallery").rglob("*")]
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in files
        if file.is_file() and "pictures" not in str(file)
    }


def test_the_report_comes_anew_from_the_ledger_alone(project: Project) -> None:
    """Without the input and the config, from a moved folder, tables and pages come back byte for byte."""
    before, moved = files_of(project.out), project.folder / "elsewhere"
    for name in ("index.html", "results.csv", "failures.csv", "gallery/data/rows-00000.js", "gallery/assets/viewer.js"):
        (project.out / name).unlink()
    shutil.rmtree(project.folder / "photos")
    (project.folder / "pipeline.yaml").unlink()
    project.out.rename(moved)
    done = project.flatpipe("report", "elsewhere")
    told = json.loads(project.flatpipe("report", "elsewhere", "--json").stdout)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"report:   {moved}/index.html\n")
    assert told["results"] == f"{moved}/results.csv"
    after = files_of(moved)
    assert after.keys() == before.keys()
    same = [name for name in before if name.endswith((".csv", ".css", "rows-00000.js")) or "assets" in name]
    assert len(same) > 10
    assert all(after[name] == before[name] for name in same)
    assert not (moved / ".partial").exists()


def test_a_report_that_the_run_did_not_write(project: Project) -> None:
    """With report.enabled: false the command writes it all the same, with every image in it."""
    project.configure(report={"enabled": False}, output={"path": "bare"})
    project.flatpipe("run")
    assert not (project.folder / "bare" / "index.html").exists()
    done = project.flatpipe("report")

    assert done.returncode == 0, done.stderr
    assert "broken.png" in (project.folder / "bare" / "index.html").read_text()
    assert '"00.png","01.png"' in (project.folder / "bare" / "gallery/data/rows-00000.js").read_text()
    assert not (project.folder / "bare" / "gallery/pictures").exists()


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    """A folder without a ledger, and a config that was never run, are told as such; nothing is written."""
    project = Project.make(tmp_path, images=1)
    for place, words in (("photos", "photos: no ledger.sqlite here"), ("pipeline.yaml", "no ledger here")):
        done = project.flatpipe("report", place)
        assert done.returncode == 2
        assert words in done.stderr
    assert not project.out.exists()


def test_without_all_flats_the_tables_come_anew_and_no_gallery(tmp_path: Path) -> None:
    """The command says why there is none, as the run's last lines do."""
    project = Project.make(tmp_path, images=1, animation={"enabled": False}, output={"path": "out", "flats": "none"})
    done = project.flatpipe("run")
    (project.out / "results.csv").unlink()
    told = json.loads(project.flatpipe("report", "out", "--json").stdout)

    assert "report:   none: a gallery shows every flat image, and output.flats is none\n" in done.stdout + done.stderr
    assert told["report"] is None
    assert (project.out / "results.csv").exists()
    assert not (project.out / "index.html").exists()
