"""A name that the output refuses is one image's row; an output that refuses every name ends the run."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from builders import settings_for, source_of, write_image
from commands import Project

from flatpipe.records import Failure, ImageSource
from flatpipe.storage.local import LocalRoot
from flatpipe.storage.remote import RemoteRoot
from flatpipe.work import tasks
from flatpipe.work.worker import this_worker


class Picky(LocalRoot):
    """A folder on a file system that refuses some names, or all of them."""

    def __init__(self, place: str, code: int, refused: Callable[[str], bool]) -> None:
        super().__init__(place)
        self._code, self._refused = code, refused

    def _rename_to(self, name: str) -> None:
        if self._refused(name):
            raise OSError(self._code, os.strerror(self._code))

    def write(self, name: str, content: bytes) -> None:
        """As LocalRoot's, unless the name is refused."""
        self._rename_to(name)
        super().write(name, content)

    def probe(self) -> None:
        """As LocalRoot's, unless every name is refused."""
        self._rename_to("any")
        super().probe()


def failure_of(source: ImageSource, place: Path) -> Failure:
    """Why the first flat of an image could not be written."""
    settings = settings_for(place)
    failure = tasks.flatten(tasks.load(source, settings), source, 2, settings).failure
    assert failure is not None
    return failure


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENAMETOOLONG, errno.EILSEQ, errno.ENOENT])
@pytest.mark.parametrize("whole", [False, True])
def test_a_refused_name_is_told_from_a_broken_output(code: int, whole: bool, tmp_path: Path) -> None:
    """What exFAT or SMB say of one name fails that image; the same said of every name would fail all, and is fatal."""
    source = source_of(write_image(tmp_path / "in" / "a.png"), "what?.png")
    place = tmp_path / f"out-{code}-{whole}"
    this_worker()._roots[str(place), ""] = Picky(str(place), code, lambda name: whole or "?" in name)
    failure = failure_of(source, place)

    assert (failure.error, failure.fatal) == ("io-error", whole)
    assert os.strerror(code) in failure.message


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_an_output_that_cannot_be_written_stays_fatal(code: int, tmp_path: Path) -> None:
    """A full, read-only or failing disk is no matter of names, even if a small file can still be written."""
    source = source_of(write_image(tmp_path / "in" / "a.png"))
    place = tmp_path / f"out-{code}"
    this_worker()._roots[str(place), ""] = Picky(str(place), code, lambda name: name.startswith("images/"))
    settings = replace(settings_for(place), io_retries=0)
    failure = tasks.flatten(tasks.load(source, settings), source, 2, settings).failure

    assert failure is not None
    assert failure.fatal


@pytest.mark.parametrize("place", ["local", "memory://bucket/out"])
def test_a_path_too_long_for_the_output_is_the_images_own(place: str, tmp_path: Path) -> None:
    """A path longer than the system, or an object store, takes is that image's row."""
    source = source_of(write_image(tmp_path / "in" / "a.png"), "/".join(["x" * 250] * 17))
    place = str(tmp_path / "out") if place == "local" else place
    settings = replace(settings_for(Path("out")), output=place)
    failure = tasks.flatten(tasks.load(source, settings), source, 2, settings).failure

    assert failure is not None
    assert (failure.error, failure.fatal) == ("io-error", False)
    assert "File name too long" in failure.message
    if place.startswith("memory"):
        RemoteRoot(place).filesystem.store.clear()


def test_an_image_named_like_anothers_output_does_not_end_the_run(tmp_path: Path) -> None:
    """`a.png` beside an object `a.png/k02.png`: one of the two is a row of failures.csv, and all others are done."""
    project = Project.make(tmp_path, images=2, flatten={"k": "2"})
    project.flatpipe("run", "--limit", "1")
    (project.out / "images" / "01.png" / "k02.png").mkdir(parents=True)
    (project.out / "images" / "01.png" / "k02.png" / "k02.png").write_bytes(b"of the other image")
    write_image(project.folder / "photos" / ("x" * 240) / ("y" * 240) / "c.png")
    done = project.flatpipe("run")

    assert done.returncode == 1, done.stderr
    assert [row["image"] for row in project.rows("failures.csv")] == ["01.png"]
    assert "Is a directory" in project.rows("failures.csv")[0]["message"]
    assert len(project.rows("results.csv")) == 2
