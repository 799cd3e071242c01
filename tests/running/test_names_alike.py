"""An output on exFAT, which takes A.png for a.png and refuses what?.png: every image has outputs, or a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import write_image
from commands import Project
from disk_images import exfat_disk
from PIL import Image

from flatpipe import layout

NAMES = ["A.png", "a.png", "a.PNG", "Trip/x.png", "trip/X.png", "b.png"]
MARKED = {"a.png", "a.PNG", "trip/X.png"}
REFUSED = ["trip/d\u00e9:j.png", "what?.png"]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A folder with images of like names, and of names that are refused, whose outputs lie on such a disk."""
    for seed, name in enumerate([*NAMES, *REFUSED]):
        write_image(tmp_path / "photos" / name, seed=seed)
    with exfat_disk(tmp_path) as disk:
        (tmp_path / "out").symlink_to(disk / "out")
        project = Project(tmp_path)
        project.configure(flatten={"k": "2-3"}, output={"path": str(disk / "out")})
        yield project


def pixels(project: Project, out: str, image_id: str) -> list[bytes]:
    """The decoded flats of an image."""
    folder = project.folder / out / layout.image_folder(image_id)
    return [Image.open(folder / f"k{k:02d}.png").convert("RGB").tobytes() for k in (2, 3)]


def test_a_file_system_that_ignores_case_loses_nothing(project: Project) -> None:
    """Told in the plan, done with the pixels of an ordinary disk; `clean` looks for files where they are."""
    done, usual = project.flatpipe("run"), project.flatpipe("run", "-s", "output.path=usual")
    rows = project.rows("failures.csv")
    (project.folder / "photos" / "b.png").rename(project.folder / "photos" / "B.png")
    renamed, cleaned = project.flatpipe("run"), project.flatpipe("clean", "--yes")
    verified = project.flatpipe("verify")

    assert "3 images marked with ~ and 12 digits: there the output's file system takes the name" in done.stderr
    assert "images marked" not in usual.stderr
    assert (done.returncode, usual.returncode, cleaned.returncode) == (1, 0, 0), done.stderr + cleaned.stderr
    assert [row["image"] for row in rows] == REFUSED
    assert all("could not be written" in row["message"] for row in rows)
    assert "5 up to date" in renamed.stderr
    for name in NAMES[:-1]:
        image_id = layout.marked(name, name) if name in MARKED else name
        assert pixels(project, "out", image_id) == pixels(project, "usual", name)
    assert pixels(project, "out", "B.png") == pixels(project, "usual", "b.png")
    assert verified.returncode == 0, verified.stdout
