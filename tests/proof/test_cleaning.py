"""clean deletes only what is surely gone, and only where images are written."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import write_image
from commands import Project

from flatpipe import cli
from flatpipe.ledger.answers import RetiredFile
from flatpipe.proof.cleaning import Cleaning, stale_files
from flatpipe.storage.local import LocalRoot


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Twelve images done: ten in the input's own folder, one in trips/, one behind the linked folder disk/."""
    folder = tmp_path_factory.mktemp("cleaning")
    project = Project.make(folder, images=10, flatten={"k": "2-3"})
    write_image(folder / "photos" / "trips" / "a.png", seed=20)
    write_image(folder / "disk" / "b.png", seed=21)
    (folder / "photos" / "disk").symlink_to("../disk")
    project.configure(flatten={"k": "2-3"}, input={"path": "photos", "follow_symlinks": True})
    assert project.flatpipe("run").returncode == 0
    return project


def files_of(project: Project) -> set[str]:
    """All files of the outputs but those that every command may write."""
    return {str(path.relative_to(project.out)) for path in project.out.rglob("*") if path.is_file()}


def empty(project: Project, _: Any) -> None:
    """As when the input's disk is not mounted."""
    shutil.rmtree(project.folder / "photos")
    (project.folder / "photos").mkdir()


def dangling(project: Project, _: Any) -> None:
    """As when a linked folder's disk is not mounted."""
    shutil.rmtree(project.folder / "disk")


def dangling_input(project: Project, _: Any) -> None:
    """As when the input itself is a link to such a disk."""
    (project.folder / "photos").rename(project.folder / "gone")
    (project.folder / "photos").symlink_to("nowhere")


def unreadable(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a subfolder is another user's, or its disk fails."""
    real = os.scandir

    def scandir(path: str) -> Any:
        if str(path).endswith("photos/trips"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("flatpipe.storage.discover.os.scandir", scandir)


@pytest.mark.parametrize(
    ("harm", "words", "hidden"),
    [
        (empty, "holds no image, and every output would go", ""),
        (dangling_input, "/photos does not exist", ""),
        (dangling, "cannot be read in full, and what lies there may not be gone: disk", "images/disk"),
        (unreadable, "cannot be read in full, and what lies there may not be gone: trips", "images/trips"),
    ],
)
def test_what_cannot_be_read_is_not_gone(
    harm: Callable[[Project, Any], None],
    words: str,
    hidden: str,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An empty input, a link to nowhere or a folder that cannot be read refuses --yes, and what lies there is kept."""
    (project.folder / "photos" / "00.png").unlink()
    before = files_of(project)
    harm(project, monkeypatch)
    monkeypatch.chdir(project.folder)
    for arguments in (["--yes"], ["--yes", "12"], []):
        monkeypatch.setattr("sys.argv", ["flatpipe", "clean", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        assert ended.value.code == 2 or (hidden and not arguments), told
        assert words in told.err
        assert not hidden or hidden not in told.out
        assert files_of(project) == before


def test_a_folder_that_is_left_out_need_not_be_read(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """input.exclude names folders that clean may take as empty, though they cannot be read."""
    unreadable(project, monkeypatch)
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr("sys.argv", ["flatpipe", "clean", "--yes", "-s", "input.exclude=[trips/**]"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code, capsys.readouterr().err
    assert not (project.out / "images" / "trips").exists()


def test_a_large_cleaning_needs_its_number(project: Project) -> None:
    """Up to a tenth of all outputs goes with --yes; of more the command with the number is told, and only it works."""
    (project.folder / "photos" / "00.png").unlink()
    small = project.flatpipe("clean", "--yes", "pipeline.yaml")
    assert small.returncode == 0, small.stderr
    assert not (project.out / "images" / "00.png").exists()

    for number in range(1, 6):
        (project.folder / "photos" / f"0{number}.png").unlink()
    before = files_of(project)
    for arguments in (["--yes"], ["--yes", "3"], ["--yes", "-s", "flatten.seed=0"], []):
        refused = project.flatpipe("clean", *arguments)
        assert (refused.returncode, files_of(project)) == (0 if not arguments else 2, before)
        told = re.search(r"(flatpipe clean.* --yes \d+)", refused.stderr)
        assert told, refused.stderr
    done = project.flatpipe(*told[1].split()[1:])
    assert done.returncode == 0, done.stderr
    assert not [name for name in files_of(project) if name.startswith("images/05.png")]
    assert "nothing to do" in project.flatpipe("run").stdout


@pytest.mark.parametrize(
    "name",
    [
        "../victim/file.txt",
        "{folder}/victim/file.txt",
        "images/../../victim/file.txt",
        "images/linked/file.txt",
        "images/file.txt",
        "gallery/data/../../../victim/file.txt",
        "results.csv",
        "runs/file.txt",
    ],
)
def test_a_ledger_from_elsewhere_deletes_nothing_outside(name: str, project: Project) -> None:
    """Names with "..", absolute ones, links and other folders stay, though their digests are as recorded."""
    victim = project.folder / "victim" / "file.txt"
    victim.parent.mkdir()
    victim.write_bytes(b"mine")
    (project.out / "images" / "linked").symlink_to(victim.parent)
    (project.out / "images" / "file.txt").symlink_to(victim)
    (project.out / "runs" / "file.txt").write_bytes(b"mine")
    name = name.format(folder=project.folder)
    digests = {name: hashlib.sha256((project.out / name).read_bytes()).hexdigest()}
    with sqlite3.connect(project.out / "ledger.sqlite") as ledger:
        ledger.executemany("INSERT INTO retired (name, sha256) VALUES (?, ?)", digests.items())
    (project.folder / "photos" / "00.png").unlink()
    before = files_of(project)
    done = project.flatpipe("clean", "--yes")

    assert done.returncode == 0, done.stderr
    assert victim.read_bytes() == b"mine"
    gone = before - files_of(project)
    assert gone
    assert all(found.startswith(("images/00.png/", "gallery/pictures/")) for found in gone)


def test_a_linked_folder_of_an_image_is_not_entered(project: Project) -> None:
    """Outputs of a gone image behind a link, though of the recorded bytes, stay where they are."""
    folder = project.out / "images" / "00.png"
    folder.rename(project.folder / "archive")
    folder.symlink_to(project.folder / "archive")
    (project.folder / "photos" / "00.png").unlink()
    before = sorted((project.folder / "archive").iterdir())

    assert project.flatpipe("clean", "--yes").returncode == 0
    assert sorted((project.folder / "archive").iterdir()) == before
    assert folder.is_symlink()


@pytest.mark.parametrize("holds", [True, False])
def test_a_replaced_file_of_a_renamed_image_is_looked_at_as_its_own(holds: bool, tmp_path: Path) -> None:
    """What a gone image once had, another may have now where the file system takes both names for one: it stays."""
    outputs = LocalRoot(str(tmp_path))
    outputs.write("images/b.png/sweep.gif", b"sweep")
    retired = RetiredFile("images/b.png/sweep.gif", hashlib.sha256(b"sweep").hexdigest())
    answers = {"flat_files": list, "sweep_files": list, "retired_files": lambda: [retired], "adds_up": lambda: False}
    ledger = SimpleNamespace(**answers, packs=SimpleNamespace(are_there=False, files=list))
    listed = SimpleNamespace(is_gone=lambda _: True, holds_place_of=lambda name: holds and name == "b.png")
    found = list(stale_files(ledger, outputs, listed, (2,), Cleaning()))  # type: ignore[arg-type]

    assert [file.name for file in found] == ([] if holds else [retired.name])
