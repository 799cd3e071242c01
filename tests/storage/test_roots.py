"""Roots: whole files or none, on a local folder and on an fsspec file system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flatpipe.layout import PARTIAL
from flatpipe.storage.remote import RemoteRoot
from flatpipe.storage.roots import LocalRoot, Root


@pytest.fixture(params=["local", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Root]:
    """An empty root of each kind."""
    if request.param == "local":
        yield LocalRoot(str(tmp_path))
        return
    remote = RemoteRoot("memory://bucket/outputs")
    yield remote
    remote.filesystem.store.clear()
    remote.filesystem.pseudo_dirs[:] = [""]


def test_what_is_written_is_read_back(root: Root) -> None:
    """A file written under a name with folders comes back byte for byte, and a second write replaces it."""
    root.write("images/a b/k02.png", b"one")
    root.write("images/a b/k02.png", b"three")

    assert root.read("images/a b/k02.png") == b"three"
    assert root.sizes("images/a b") == {"k02.png": 5}


def test_lines_arrive_whole_with_undecodable_names(root: Root) -> None:
    """Text lines are joined as they are, and a name that is not valid UTF-8 keeps its bytes."""
    root.write_lines("results.csv", iter(["image\n", "b\udcff.png\n"]))

    assert root.read("results.csv") == b"image\nb\xff.png\n"


def test_a_folder_that_is_not_there_is_empty(root: Root) -> None:
    """Asking for the sizes in a missing folder gives nothing rather than an error."""
    assert root.sizes("images/none") == {}


def test_removing_twice_is_no_error(root: Root) -> None:
    """A file is gone after remove, and removing what is not there passes."""
    root.write("x", b"1")
    root.remove("x")
    root.remove("x")

    assert root.sizes("") == {} or "x" not in root.sizes("")


def test_a_write_that_breaks_off_leaves_the_old_file_and_no_partial(tmp_path: Path) -> None:
    """When the content's source fails half-way, the old file stays whole and nothing is left over."""
    root = LocalRoot(str(tmp_path))
    root.write("results.csv", b"old")

    def lines() -> Iterator[str]:
        yield "new\n"
        raise RuntimeError("broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        root.write_lines("results.csv", lines())

    assert root.read("results.csv") == b"old"
    assert list((tmp_path / PARTIAL).iterdir()) == []


def test_preparing_drops_what_a_killed_run_left(tmp_path: Path) -> None:
    """Leftover partial files are gone after prepare, and after tidy so is their folder."""
    root = LocalRoot(str(tmp_path / "out"))
    root.prepare()
    (tmp_path / "out" / PARTIAL / "half").write_bytes(b"x")

    root.prepare()
    assert list((tmp_path / "out" / PARTIAL).iterdir()) == []

    root.tidy()
    assert list((tmp_path / "out").iterdir()) == []


def test_preparing_a_place_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    """A root below a plain file raises OSError when prepared."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OSError, match="file"):
        LocalRoot(str(tmp_path / "file" / "out")).prepare()
