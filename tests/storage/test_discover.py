"""Discovery: what is asked for, in order, and nothing that may not be opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flatpipe.records import ImageSource
from flatpipe.storage.discover import RefusedFile, Selection, as_sources, discover

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


def test_images_named_one_by_one_keep_apart(tmp_path: Path) -> None:
    """Ids of named images are relative to their common folder, so equal file names do not collide."""
    touch(tmp_path, "x/a.png", "y/a.png")

    sources = as_sources([str(tmp_path / "y" / "a.png"), str(tmp_path / "x" / "a.png")])

    assert [source.image_id for source in sources] == ["x/a.png", "y/a.png"]
    with pytest.raises(OSError, match="No such file"):
        as_sources([str(tmp_path / "none.png")])
