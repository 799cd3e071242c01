"""Discovery: what is asked for, in order, and nothing that may not be opened."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import fsspec
import pytest

from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.litter import LITTER, PassedOver

INCLUDE = ("**/*.{png,jpg}",)


def found(root: Path, **changes: object) -> list[ImageSource | RefusedFile]:
    """All that discovery gives for a folder."""
    return list(discover(Selection(str(root), **{"include": INCLUDE, **changes})))  # type: ignore[arg-type]


def ids(root: Path, **changes: object) -> list[str]:
    """Ids of what may be opened."""
    return [item.image_id for item in found(root, **changes) if isinstance(item, ImageSource)]


def refusals(root: Path, **changes: object) -> dict[str, str]:
    """Messages of what may not, by id."""
    return {
        item.source.image_id: item.failure.message for item in found(root, **changes) if isinstance(item, RefusedFile)
    }


def touch(root: Path, *names: str) -> None:
    """Make files with a little content."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_only_what_is_included_and_not_excluded_is_found(tmp_path: Path) -> None:
    """Include patterns choose in any case, exclude patterns take away, hidden files and folders stay out."""
    touch(tmp_path, "a.PNG", "b.txt", "sub/c.jpg", "sub/skip/d.jpg", ".hidden.png", ".git/e.png")

    assert ids(tmp_path, exclude=("**/skip/*",)) == ["a.PNG", "sub/c.jpg"]
    assert ids(tmp_path, include=("*.txt",)) == ["b.txt"]


def test_ids_come_in_the_byte_order_of_whole_paths(tmp_path: Path) -> None:
    """The stream is sorted as the list of whole ids would be, so that it can be merged with the ledger."""
    names = ["a/z.png", "a.png", "a-b.png", "a/b/c.png", "é.png", "Z.png", "a0/x.png"]
    touch(tmp_path, *names)

    assert ids(tmp_path) == sorted(names, key=os.fsencode)


def test_odd_names_are_found_as_they_are(tmp_path: Path) -> None:
    """Newlines, quotes, leading dashes, 255 bytes and bytes that are not UTF-8 are all just names."""
    names = ["a\nb.png", "-n.png", "\"q'.png", "x" * 251 + ".png", "b\udcff.png", "*.png", "<img src=x>.png"]
    touch(tmp_path, *names)

    assert sorted(ids(tmp_path)) == sorted(names)


def test_a_link_out_of_the_input_is_refused_unless_asked_for(tmp_path: Path) -> None:
    """A link to a file outside is named and not opened; follow_symlinks opens it; links inside are followed."""
    touch(tmp_path, "outside/secret.png", "in/a.png")
    (tmp_path / "in" / "out.png").symlink_to(tmp_path / "outside" / "secret.png")
    (tmp_path / "in" / "same.png").symlink_to(tmp_path / "in" / "a.png")

    assert ids(tmp_path / "in") == ["a.png", "same.png"]
    assert "leaves the input folder" in refusals(tmp_path / "in")["out.png"]
    assert ids(tmp_path / "in", follow_symlinks=True) == ["a.png", "out.png", "same.png"]


def test_link_loops_end(tmp_path: Path) -> None:
    """A folder that links to its parent, and a link to itself, are gone through once at most."""
    touch(tmp_path, "sub/a.png")
    (tmp_path / "sub" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")

    assert ids(tmp_path, follow_symlinks=True) == ["sub/a.png"]
    assert set(refusals(tmp_path)) == {"self.png"}


def test_pipes_are_never_opened(tmp_path: Path) -> None:
    """A FIFO with an image's name is refused at once instead of waiting for a writer."""
    os.mkfifo(tmp_path / "pipe.png")

    assert "never opened" in refusals(tmp_path)["pipe.png"]


def test_a_dangling_link_is_named(tmp_path: Path) -> None:
    """A link to nothing becomes a refusal with the system's words."""
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing.png")

    assert "No such file" in refusals(tmp_path)["gone.png"]


def test_one_file_can_be_the_input(tmp_path: Path) -> None:
    """input.path may name a single image, whatever its extension."""
    touch(tmp_path, "photo.data")

    assert ids(tmp_path / "photo.data") == ["photo.data"]


def test_a_replaced_file_has_another_stamp(tmp_path: Path) -> None:
    """Replacing a file by another of equal size and equal date changes its stamp."""
    touch(tmp_path, "a.png", "b.data")
    (before,) = found(tmp_path)
    status = (tmp_path / "a.png").stat()
    os.utime(tmp_path / "b.data", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "b.data").replace(tmp_path / "a.png")
    (after,) = found(tmp_path)

    assert isinstance(before, ImageSource)
    assert isinstance(after, ImageSource)
    assert before.size == after.size
    assert before.stamp != after.stamp


@pytest.mark.parametrize("name", [*LITTER, "@EADIR", "$recycle.bin", ".Trash-1000", ".thumbnails", ".@__thumb"])
@pytest.mark.parametrize("include", [INCLUDE, ("*",), ("**/*",)], ids=["images", "all", "everywhere"])
def test_litter_is_no_image_wherever_it_lies(name: str, include: tuple[str, ...], tmp_path: Path) -> None:
    """What systems leave among pictures is passed over at any depth, folder or file; as a root it is searched."""
    touch(tmp_path, "a.png", f"{name}/b.png", f"sub/{name}/deep/c.png", f"sub/file/{name}", "sub/x-not.@eaDir.png")

    assert ids(tmp_path, include=include) == ["a.png", "sub/x-not.@eaDir.png"]
    assert ids(tmp_path / name, include=include) == ["b.png"]


def test_litter_in_a_bucket_is_no_image() -> None:
    """The same holds for objects, and they are counted."""
    store = fsspec.filesystem("memory")
    for name in ("a.png", "@eaDir/a.png/thumb.png", "sub/#recycle/b.png", ".hidden/c.png", "sub/d.txt"):
        store.pipe(f"/litter/{name}", b"x")
    passed_over = PassedOver()
    found = list(discover(Selection("memory://litter", INCLUDE), passed_over))

    assert [item.image_id for item in found if isinstance(item, ImageSource)] == ["a.png"]
    assert passed_over.counts == {"litter": 2, "hidden": 1, "other files": 1}


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    """A folder of litter or of a link counts as one, and every file that no pattern asks for."""
    touch(
        tmp_path, "a.png", "b.txt", "sub/c.doc", "no.jpg", "@eaDir/x.png", "@eaDir/y.png", ".hidden/z.png", "sub/.z.png"
    )
    touch(tmp_path, "Thumbs.db")
    (tmp_path / "link").symlink_to(tmp_path / "sub", target_is_directory=True)
    passed_over = PassedOver()
    list(discover(Selection(str(tmp_path), INCLUDE, exclude=("no*",)), passed_over))

    assert passed_over.counts == {"litter": 2, "hidden": 2, "linked folders": 1, "other files": 3}
    assert passed_over.suffixes == {".txt": 1, ".doc": 1, ".jpg": 1}
    assert ids(tmp_path, follow_symlinks=True, include=("*.doc",)) == ["link/c.doc", "sub/c.doc"]


def test_folders_may_be_nested_deeper_than_calls(tmp_path: Path) -> None:
    """An image below two thousand folders is found; what is nested deeper than a path can be is refused by name."""
    folder = os.open(tmp_path, os.O_RDONLY)
    for depth in range(2500):
        if depth == 1900:
            os.close(os.open("a.png", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)

    try:
        assert ids(tmp_path) == ["d/" * 1900 + "a.png"]
        assert "too long" in next(iter(refusals(tmp_path).values()))
    finally:
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)
        # ^ pytest cannot, for the same reason


def test_a_folder_of_results_is_no_input(tmp_path: Path) -> None:
    """A folder below the input in which a run has left its ledger, or its run.json and images, is passed over whole.

    So is one that parts of a run have written; folders of one's own may be called parts and images.
    """
    touch(tmp_path, "a.png", "flat/ledger.sqlite", "flat/images/a.png/k02.png", "b/run.json", "b/images/x.png")
    touch(tmp_path, "images/c.png", "own/images/d.png", "own/parts/e.png")
    touch(tmp_path, "split/images/a.png/k02.png", "split/parts/0-of-2/ledger.sqlite", "split/.partial/x")
    passed_over = PassedOver()
    named = [found.image_id for found in discover(Selection(str(tmp_path), INCLUDE), passed_over)]  # type: ignore[union-attr]

    assert named == ["a.png", "images/c.png", "own/images/d.png", "own/parts/e.png"]
    assert passed_over.counts == {"output folders": 3}
    assert ids(tmp_path / "flat") == ["images/a.png/k02.png"]


def test_a_url_may_name_one_file() -> None:
    """The root may be an object of a store: it is found under its name, with size, whatever lies beside it."""
    store = fsspec.filesystem("memory")
    for name in ("a.png", "b.png", "a.png.txt"):
        store.pipe(f"/single/{name}", b"xyz")
    (found,) = discover(Selection("memory://single/a.png", INCLUDE))

    assert isinstance(found, ImageSource)
    assert (found.image_id, found.path, found.size) == ("a.png", "memory://single/a.png", 3)
