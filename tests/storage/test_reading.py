"""Inputs are read as they were found: regular files alone, no link out of the input, nothing larger than memory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from builders import source_of, write_image
from fsspec.implementations.local import LocalFileSystem

from flatpipe.errors import ImageTooLarge
from flatpipe.places import ReadPolicy
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.settings import TaskSettings
from flatpipe.storage import remote, urls
from flatpipe.storage.discover import Selection, discover, local_source
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


@pytest.mark.parametrize("kind", ["ranges", "no ranges"])
def test_what_is_large_behind_a_url_is_not_read_whole(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: str
) -> None:
    """Of many blocks the digest is found with a few of them in memory, and the size with next to none."""
    content = bytes(range(256)) * 400_000
    (tmp_path / "large.png").write_bytes(content)
    url = f"{served}/large.png"
    if kind == "ranges":
        url = "sftp://host/large.png"
        for module in (remote, urls):
            monkeypatch.setattr(module, "open_filesystem", _in_folder(tmp_path))
    monkeypatch.setattr(urls, "_BLOCK", 1 << 20)
    tracemalloc.start()
    assert (file_digest(url), file_size(url)) == (hashlib.sha256(content).hexdigest(), len(content))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < len(content) / 4
    with pytest.raises(FileNotFoundError):
        file_size(url.replace("large", "none"))


def test_a_web_server_cannot_send_more_than_memory_allows(served: str, tmp_path: Path) -> None:
    """Whatever size it has told of a file, too much is refused, one byte more than that being read."""
    (tmp_path / "a.png").write_bytes(bytes(3_000_000))
    source = ImageSource("a.png", f"{served}/a.png", 0, "")

    assert len(read_input(source, ReadPolicy(max_bytes=3_000_000))) == 3_000_000
    with pytest.raises(ImageTooLarge, match="has 3 MB, and 3 MB at most"):
        read_input(source, ReadPolicy(max_bytes=2_999_999))
    assert len(urls.read_url_start(source.path, 2_999_999)) == 2_999_999


def test_a_web_server_is_asked_once_for_an_image(
    served: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The image is what is asked for, not its size before it: that would take as long again."""
    (tmp_path / "a.png").write_bytes(b"image")
    content = read_input(ImageSource("a.png", f"{served}/a.png", 0, ""), ReadPolicy(max_bytes=100))

    assert content == b"image"
    assert [line.split('"')[1] for line in capfd.readouterr().err.splitlines()] == ["GET /a.png HTTP/1.1"]


def _in_folder(folder: Path) -> Callable[[str], tuple[LocalFileSystem, str]]:
    return lambda url: (LocalFileSystem(), str(folder / url.rpartition("/")[2]))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a web server that knows no ranges, with the files of tmp_path."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


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
    policy = ReadPolicy((str(tmp_path / root),) if root else ())
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

    assert read_file(str(tmp_path / "photos" / "b.png"), ReadPolicy((str(tmp_path / "photos"),))) == path.read_bytes()


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
