"""Roots: whole files or none, on a local folder and on an fsspec file system."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flatpipe.layout import PARTIAL, partial_name
from flatpipe.storage import local
from flatpipe.storage.local import LocalRoot
from flatpipe.storage.remote import RemoteRoot
from flatpipe.storage.roots import Root


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


def test_a_new_folder_comes_with_all_its_files(tmp_path: Path) -> None:
    """Files of a folder that is new are there at once; where it is there already, nothing is touched."""
    root = LocalRoot(str(tmp_path))
    assert root.add_folder("images/a b", {"k02.png": b"one", "k03.png": b"two"})
    assert not root.add_folder("images/a b", {"k02.png": b"three", "k04.png": b"four"})

    assert root.sizes("images/a b") == {"k02.png": 3, "k03.png": 3}
    assert root.read("images/a b/k02.png") == b"one"
    assert list((tmp_path / PARTIAL).iterdir()) == []


def test_a_folder_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder's own folder should be, a name that is refused, an interrupt: no part of it is left."""
    root = LocalRoot(str(tmp_path))
    (tmp_path / "images").write_bytes(b"")
    assert not root.add_folder("images/a", {"k02.png": b"one"})
    assert not root.add_folder("other/a", {"k02.png": b"one", "x" * 300: b"two"})
    monkeypatch.setattr(local, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        root.add_folder("other/a", {"k02.png": b"one"})

    assert list((tmp_path / PARTIAL).iterdir()) == []
    assert not (tmp_path / "other").exists()


def interrupted(*_: object) -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


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


@pytest.mark.parametrize("above", ["", "images"])
def test_preparing_drops_what_a_killed_run_left(above: str, tmp_path: Path) -> None:
    """Leftover partial files are gone after prepare, and after tidy so is their folder; nothing else is."""
    root = LocalRoot(str(tmp_path / "out"))
    root.prepare()
    folder = tmp_path / "out" / above / PARTIAL
    folder.mkdir(parents=True, exist_ok=True)
    (folder / partial_name()).write_bytes(b"x")
    (image := folder / partial_name()).mkdir()
    (image / "k02.png").write_bytes(b"x")
    root.prepare()
    assert not folder.exists() or list(folder.iterdir()) == []

    root.tidy()
    assert not folder.exists()
    theirs = [folder / "half", folder / "flatpipe-notes", folder / "0123456789abcdef0123456789abcdef"]
    folder.mkdir()
    for path in theirs:
        path.write_bytes(b"x")
    root.prepare()
    root.tidy()
    assert sorted(folder.iterdir()) == sorted(theirs)


def test_parts_of_a_run_leave_each_others_partial_files(tmp_path: Path) -> None:
    """Preparing and tidying for a part drops its own partial files alone; a whole run drops those of every part."""
    one, other, whole = (LocalRoot(str(tmp_path), part) for part in ("0-of-2", "1-of-2", ""))
    for above in (tmp_path, tmp_path / "images"):
        for part in ("0-of-2", "1-of-2"):
            (above / PARTIAL / part).mkdir(parents=True)
            (above / PARTIAL / part / partial_name()).write_bytes(b"x")
    left = lambda: sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("flatpipe-*"))  # noqa: E731
    one.prepare()
    one.write("images/a/k02.png", b"one")
    one.tidy()

    assert [path.split("/")[-2] for path in left()] == ["1-of-2", "1-of-2"]
    other.prepare()
    whole.prepare()
    whole.tidy()
    assert left() == []
    assert not (tmp_path / PARTIAL).exists()


@pytest.mark.parametrize("part", ["", "0-of-2"])
def test_a_folder_on_another_disk_is_written_whole_too(part: str, tmp_path: Path) -> None:
    """Where `images` lies on another file system, files arrive whole, replace others, and leave nothing behind."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=shared) as other:
        (tmp_path / "images").symlink_to(other)
        root = LocalRoot(str(tmp_path), part)
        root.prepare()
        for content in (b"one", b"two", b"three"):
            root.write("images/a/b.png/k02.png", content)
            assert root.read("images/a/b.png/k02.png") == content
        assert root.add_folder("images/a/c.png", {"k02.png": b"one"})
        root.write("results.csv", b"here")
        (Path(other) / PARTIAL / part / partial_name()).write_bytes(b"of a killed run")
        LocalRoot(str(tmp_path)).tidy()
        assert sorted(str(path.relative_to(other)) for path in Path(other).rglob("*") if path.is_file()) == [
            "a/b.png/k02.png",
            "a/c.png/k02.png",
        ]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "results.csv"]


def test_folders_are_named(root: Root) -> None:
    """The folders directly in a folder, in order; none of one that is not there, nor of a file."""
    for name in ("parts/1-of-2/run.json", "parts/0-of-2/runs/a/log.jsonl", "parts/notes.txt"):
        root.write(name, b"x")

    assert root.folders("parts") == ["0-of-2", "1-of-2"]
    assert root.folders("images") == []


def test_the_first_file_below_a_folder_is_named(root: Root) -> None:
    """A folder that holds files somewhere below names one of them; an empty or missing one names none."""
    root.write("images/a/b.png/k02.png", b"x")

    assert root.first_file("images") == "images/a/b.png/k02.png"
    assert root.first_file("gallery") == ""


def test_preparing_a_place_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    """A root below a plain file raises OSError when prepared."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OSError, match="file"):
        LocalRoot(str(tmp_path / "file" / "out")).prepare()
