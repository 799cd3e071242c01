"""Inputs are read as they were found: regular files alone, no link out of the input, nothing larger than memory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import source_of, write_image

from flatpipe.errors import ImageTooLarge
from flatpipe.places import ReadPolicy
from flatpipe.records import ImageSource, TaskSettings
from flatpipe.storage.discover import RefusedFile, Selection, discover, local_source
from flatpipe.storage.reading import file_digest, file_size, read_file, read_input
from flatpipe.storage.remote import RemoteRoot
from flatpipe.work import tasks
from flatpipe.work.memory import memory_needed
from flatpipe.work.worker import this_worker

READERS: dict[str, Callable[[str], object]] = {
    "read_file": read_file,
    "file_digest": file_digest,
    "file_size": file_size,
    "load": lambda path: tasks.load(ImageSource("a.png", path, 1, ""), TaskSettings("out")),
    "memory_needed": lambda path: memory_needed(ImageSource("a.png", path, 1, ""), TaskSettings("out")),
}


def test_files_of_both_kinds_are_read_by_one_function(tmp_path: Path) -> None:
    """read_file reads a URL and a local path, and file_digest and file_size agree with it."""
    RemoteRoot("memory://bucket").write("photo.png", b"png")
    (tmp_path / "photo.png").write_bytes(b"local")
    for path, content in (("memory://bucket/photo.png", b"png"), (str(tmp_path / "photo.png"), b"local")):
        assert read_file(path) == content
        assert file_digest(path) == hashlib.sha256(content).hexdigest()
        assert file_size(path) == len(content)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_may_never_end_is_not_read(reader: str, kind: str, tmp_path: Path) -> None:
    """A pipe or an endless device in the place of a file is an error at once, whoever reads it."""
    path = Path("/dev/zero")
    if kind == "pipe":
        path = tmp_path / "pipe.png"
        os.mkfifo(path)
    program = f"from storage.test_reading import READERS\ntry:\n    print(READERS[{reader!r}]({str(path)!r}))\n"
    program += "except OSError as error:\n    print(error.strerror)\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "never opened" in done.stdout or done.stdout == "None\n", done.stderr


@pytest.mark.parametrize("where", ["file", "folder"])
@pytest.mark.parametrize("root", ["photos", ""])
def test_a_link_put_there_since_is_followed_only_where_links_are(where: str, root: str, tmp_path: Path) -> None:
    """A file, or a folder on its way, that becomes a link out of the input is refused unless links are followed."""
    source = source_of(write_image(tmp_path / "photos" / "trips" / "a.png"))
    secret = write_image(tmp_path / "secret" / "a.png", seed=1)
    if where == "file":
        Path(source.path).unlink()
        Path(source.path).symlink_to(secret)
    else:
        (tmp_path / "photos" / "trips").rename(tmp_path / "moved")
        (tmp_path / "photos" / "trips").symlink_to(secret.parent)
    policy = ReadPolicy(str(tmp_path / root) if root else "")
    for read in (lambda: read_input(source, policy), lambda: file_digest(source.path, policy)):
        if root:
            with pytest.raises(OSError, match="leaves the input folder"):
                read()
        else:
            assert read() in (secret.read_bytes(), hashlib.sha256(secret.read_bytes()).hexdigest())


def test_a_link_within_the_input_is_read(tmp_path: Path) -> None:
    """A link to another file of the input is read as discovery found it, also where the input's own path has links."""
    path = write_image(tmp_path / "real" / "a.png")
    (tmp_path / "real" / "b.png").symlink_to(path)
    (tmp_path / "photos").symlink_to(tmp_path / "real")

    assert read_file(str(tmp_path / "photos" / "b.png"), ReadPolicy(str(tmp_path / "photos"))) == path.read_bytes()


@pytest.mark.parametrize("size", [12 << 30, 1001])
def test_a_file_larger_than_memory_allows_is_not_read(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sparse file above the limit is refused by its size, in whoever's hands; one byte less and it is read."""
    monkeypatch.setattr(this_worker(), "decode_bytes", None)
    # ^ a worker that knows its own share goes by that; runs of other tests in this process have told it one
    path = tmp_path / "a.jpg"
    with path.open("wb") as file:
        file.truncate(size)
    settings = TaskSettings(str(tmp_path / "out"), reading=ReadPolicy(str(tmp_path), 1000))
    failure = tasks.load(source_of(path), settings).failure

    assert (failure.error, failure.fatal) == ("too-large", False) if failure else None
    assert "1 kB at most" in (failure.message if failure else "")
    assert memory_needed(source_of(path), settings) is None
    with pytest.raises(ImageTooLarge):
        read_input(ImageSource("a", "memory://bucket/a.jpg", size, ""), settings.reading)
    os.truncate(path, 1000)
    assert len(read_input(source_of(path), settings.reading)) == 1000


def test_pipes_that_are_named_are_refused(tmp_path: Path) -> None:
    """A pipe named as an image, or as the whole input, is refused with a sentence."""
    os.mkfifo(tmp_path / "pipe.png")

    with pytest.raises(OSError, match="never opened"):
        local_source(str(tmp_path / "pipe.png"))
    (found,) = discover(Selection(str(tmp_path / "pipe.png"), ("*",)))
    assert isinstance(found, RefusedFile)
    assert "never opened" in found.failure.message
