"""The files of an image on their way: held until a new image has all, and then there or told of as missing."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from builders import settings_for, source_of, write_image

from flatpipe.records import ImageResult, ImageSource, PlannedImage
from flatpipe.storage.local import LocalRoot
from flatpipe.work import outputs
from flatpipe.work.outputs import ImageOutputs
from flatpipe.work.tasks import whole_image
from flatpipe.work.worker import stop_run, this_worker

KS = (2, 3)


class Counting(LocalRoot):
    """A folder that notes what is put in place, and after so many bytes has room for none."""

    def __init__(self, place: str, room: int = 1 << 30) -> None:
        super().__init__(place)
        self.put: list[str] = []
        self.room = room

    def _take(self, size: int) -> None:
        self.room -= size
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(self, name: str, content: bytes) -> None:
        """As LocalRoot's, while there is room."""
        self._take(len(content))
        super().write(name, content)
        self.put.append(name)

    def add_folder(self, folder: str, files: dict[str, bytes]) -> bool:  # type: ignore[override]
        """As LocalRoot's, where there is room for all."""
        if sum(map(len, files.values())) > self.room or not super().add_folder(folder, files):
            return False
        self.put.append(f"{folder}/")
        return True


@pytest.fixture
def source(tmp_path: Path) -> ImageSource:
    """A small image."""
    return source_of(write_image(tmp_path / "in" / "a.png"))


@pytest.fixture
def root(tmp_path: Path) -> Counting:
    """Where this process writes what goes to `out`."""
    place = str(tmp_path / "out")
    root = this_worker()._roots[place, ""] = Counting(place)
    return root


def made(source: ImageSource, root: Counting) -> ImageResult:
    """The image, done as a whole, without pictures for a report."""
    settings = replace(settings_for(Path(root.place)), pictures=False)
    return whole_image(PlannedImage(source, KS, sweep=True, reason=""), (), settings)


def test_a_new_image_comes_with_all_its_files(source: ImageSource, root: Counting) -> None:
    """Its folder is put in place once, whole; made again, each of its files replaces what is there."""
    assert made(source, root).failure is None
    assert root.put == ["images/a.png/"]
    files = sorted(root.sizes("images/a.png"))
    root.put.clear()
    assert made(source, root).failure is None
    assert sorted(root.put) == [f"images/a.png/{name}" for name in files]


def test_files_that_find_no_room_are_not_recorded(source: ImageSource, root: Counting) -> None:
    """On a full disk no flat of the image counts as made, the failure is fatal, and no part of a file is left."""
    root.room = 1
    result = made(source, root)

    assert (result.flats, result.sweep) == ((), None)
    assert result.failure is not None
    assert result.failure.fatal
    assert "No space left" in result.failure.message
    assert not [path for path in Path(root.place).rglob("*") if path.is_file()]


def test_what_a_stop_finds_done_is_put_in_place(
    source: ImageSource, root: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an image that is stopped after its first k, this k is recorded, and its file is there."""
    settings = settings_for(Path(root.place))
    write = ImageOutputs.write

    def then_stop(self: ImageOutputs, name: str, content: bytes) -> None:
        write(self, name, content)
        stop_run(settings.run)

    monkeypatch.setattr(ImageOutputs, "write", then_stop)
    result = made(source, root)
    this_worker()._stopped.clear()

    assert [flat.k for flat in result.flats if flat.failure is None] == [2]
    assert sorted(root.sizes("images/a.png")) == ["k02.png"]


@pytest.mark.parametrize("most", [0, 200])
def test_no_more_is_held_than_memory_is_meant_for(
    most: int, source: ImageSource, root: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once an image's files outgrow what is held, they go to the disk, and those after them one by one."""
    monkeypatch.setattr(outputs, "_MOST_HELD", most)
    assert made(source, root).failure is None
    assert root.put[0] == "images/a.png/"
    assert {f"images/a.png/{name}" for name in root.sizes("images/a.png")} > set(root.put[1:]) > set()
