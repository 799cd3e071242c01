"""All that a run writes is checked, and comes back: whatever kind of file, and whatever became of it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from commands import Project

from flatpipe import layout

OF_IMAGES = (
    *("k03.png", "sweep.gif", "palettes.json", "best.png", "k02.gpl", "contact_sheet.png", "colorspace.png"),
    *("flat.jpg", "preview.png", "original.js"),
)
# ^ the nth kind is damaged of the nth image: each must be noticed by itself
BESIDE = (
    *("index.html", "gallery/state.txt", "gallery/data/rows-00000.js", "gallery/data/details-00000.js"),
    *("gallery/assets/viewer.js", "gallery/assets/base.css"),
    *("results.csv", ".tables", "failures.csv", "flatpipe.lock", "run.json"),
)


def _name(number: int, kind: str) -> str:
    image_id = f"{number:02d}.png"
    if kind in OF_IMAGES[-3:]:
        return layout.picture_name(image_id, kind)
    return layout.still_name(image_id, kind)


def _done(told: str) -> int:
    """How many images a run has done, by its last line."""
    found = re.search(r"(\d+)(?: images?)? done", told)
    return int(found[1]) if found else 0


SAME = ("images/", "gallery/pictures/", "gallery/assets/", "gallery/data/rows", "failures.csv", "flatpipe.lock")
DAMAGED = {_name(number, kind) for number, kind in enumerate(OF_IMAGES)} | set(BESIDE)
PICTURES = {name for name in DAMAGED if name.startswith(layout.PICTURES)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """An image for each kind of file, done with all that a config can ask for; tests copy it."""
    project = Project.make(
        tmp_path_factory.mktemp("finished"),
        images=len(OF_IMAGES),
        flatten={"k": "auto", "auto": {"max": 4}},
        report={"stills": True},
    )
    project.configure(
        flatten={"k": "auto", "auto": {"max": 4}}, report={"stills": True}, output={"path": "out", "palettes": ["gpl"]}
    )
    assert project.flatpipe("run").returncode == 0
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """The finished project, in a folder of the test's own."""
    shutil.copytree(finished.folder, tmp_path / "copy")
    return Project(tmp_path / "copy")


def _files(project: Project) -> dict[str, bytes | bool]:
    """All outputs, by name, with their bytes; of those that hold times or places it is whether they are empty."""
    files = {str(path.relative_to(project.out)): path for path in project.out.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes() if name.startswith(SAME) else bool(path.stat().st_size)
        for name, path in files.items()
        if not name.startswith(("runs/", "ledger"))
    }


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "emptied": lambda path: path.write_bytes(b""),
    "a bit flipped": _flip,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_kind_of_file_is_checked_and_comes_back(damage: str, project: Project) -> None:
    """verify names each damaged file and no other; a run makes them again, to the bytes of before."""
    before = _files(project)
    for name in DAMAGED:
        DAMAGES[damage](project.out / name)
    verified = project.flatpipe("verify")
    repaired = project.flatpipe("run")

    assert verified.returncode == 4
    assert {line.partition(": ")[2] for line in verified.stdout.splitlines()[:-1]} == DAMAGED
    assert repaired.returncode == 0
    assert _files(project) == before
    assert project.flatpipe("verify").returncode == 0


@pytest.mark.parametrize(("damage", "names"), [("deleted", DAMAGED), ("emptied", DAMAGED - PICTURES)])
def test_a_run_alone_notices_what_is_gone_or_short(damage: str, names: set[str], project: Project) -> None:
    """Without verify, what has another size than recorded is made again; a run after that has nothing to do.

    Of the report's pictures it sees, by the dates of their folders, those that are gone.
    """
    before = _files(project)
    for name in names:
        DAMAGES[damage](project.out / name)
    repaired = project.flatpipe("run")

    assert _done(repaired.stdout) == len(names - set(BESIDE))
    assert _files(project) == before
    assert "nothing to do" in project.flatpipe("run").stdout


def test_a_picture_that_is_gone_is_not_forgotten_by_a_run_of_others(project: Project) -> None:
    """A run that leaves the image aside changes nothing of that: the next whole run makes its picture again."""
    before = _files(project)
    (project.out / _name(8, "flat.jpg")).unlink()
    project.flatpipe("run", "--only", "00.png", "--force")

    assert _done(project.flatpipe("run").stdout) == 1
    assert _files(project) == before


@pytest.mark.parametrize("part", ["gallery/data", "gallery/pictures", "gallery", "images"])
def test_a_folder_that_is_gone_comes_back(part: str, project: Project) -> None:
    """Whole folders are noticed as their files are."""
    before = _files(project)
    shutil.rmtree(project.out / part)
    project.flatpipe("run")

    assert _files(project) == before


def test_an_empty_ledger_says_nothing_of_outputs(project: Project) -> None:
    """verify and report of a ledger without images end with exit 2 and a sentence, and results.csv stays."""
    before = _files(project)
    with closing(sqlite3.connect(project.out / "ledger.sqlite")) as ledger:
        for table in ("planned", "images", "flats", "sweeps", "runs"):
            ledger.execute(f"DELETE FROM {table}")
        ledger.commit()
    for command in ("verify", "report"):
        done = project.flatpipe(command)
        assert (done.returncode, done.stdout) == (2, "")
        assert "no image is recorded here; `flatpipe run` records what it makes" in done.stderr
    assert _files(project) == before


def test_outputs_of_an_earlier_version_are_checked_by_their_names(project: Project) -> None:
    """A ledger without sizes is taken over: nothing is due but what is gone, and the report is written once more."""
    before = _files(project)
    with closing(sqlite3.connect(project.out / "ledger.sqlite")) as ledger:
        for column in ("sizes", "pictures"):
            ledger.execute(f"ALTER TABLE sweeps DROP COLUMN {column}")
        ledger.execute("DROP TABLE beside")
        ledger.execute("DROP TABLE folders")
        ledger.execute("PRAGMA user_version = 3")
        ledger.commit()
    (project.out / _name(3, "contact_sheet.png")).unlink()
    (project.out / _name(4, "flat.jpg")).unlink()
    (project.out / "gallery/data/rows-00000.js").write_bytes(b"")

    assert _done(project.flatpipe("run").stdout) == 2
    assert _files(project) == before


def test_a_report_that_is_no_longer_asked_for_is_no_fault(project: Project) -> None:
    """With report.enabled: false, a removed gallery is not missed."""
    project.flatpipe("run", "-s", "report.enabled=false")
    shutil.rmtree(project.out / "gallery")
    (project.out / "index.html").unlink()

    assert project.flatpipe("verify", "-s", "report.enabled=false").returncode == 0


def test_a_stopped_run_leaves_no_lock_to_be_missed(project: Project) -> None:
    """A run that did not come to its end has removed the lock: verify does not call it missing."""
    (project.folder / "photos" / "00.png").write_bytes(b"nothing")
    assert project.flatpipe("run", "--fail-fast").returncode == 3
    assert not (project.out / "flatpipe.lock").exists()
    assert "flatpipe.lock" not in project.flatpipe("verify", "--outputs-only").stdout
