"""URLs as roots: whole objects, sentences for what stands in the way, many questions at once. No network is used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from flatpipe.errors import ConfigError
from flatpipe.layout import PARTIAL
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.local import LocalRoot
from flatpipe.storage.remote import RemoteRoot, open_filesystem
from flatpipe.storage.roots import Root, open_root
from flatpipe.storage.urls import read_url


@pytest.fixture
def bucket() -> Iterator[RemoteRoot]:
    """An empty root in memory."""
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    yield RemoteRoot("memory://bucket/out")
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture(params=["folder", "object store", "file system"])
def root(request: pytest.FixtureRequest, tmp_path: Path, bucket: RemoteRoot) -> Root:
    """A root of each kind: a local folder, a store with whole puts, a file system behind a URL."""
    places = {"folder": str(tmp_path / "out"), "file system": f"local://{tmp_path}/out"}
    return bucket if request.param == "object store" else open_root(places[request.param])


def test_a_file_travels_to_the_root_and_back(root: Root, tmp_path: Path) -> None:
    """store and fetch copy a file byte for byte; fetching what is not there is False and leaves nothing."""
    (tmp_path / "here").write_bytes(b"ledger" * 1000)
    root.prepare()
    root.store("ledger.sqlite", str(tmp_path / "here"))

    assert root.fetch("ledger.sqlite", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == b"ledger" * 1000
    assert not root.fetch("none", str(tmp_path / "none"))
    assert {path.name for path in tmp_path.iterdir()} <= {"here", "back", "out"}


def test_sizes_of_many_folders_are_those_of_each(root: Root) -> None:
    """Asking for many folders at once gives what asking one by one gives, with nothing for missing ones."""
    folders = [f"images/{n:02d}.png" for n in range(50)]
    for n, folder in enumerate(folders[:40]):
        root.write(f"{folder}/k02.png", b"x" * n)

    assert root.sizes_of(folders) == {folder: root.sizes(folder) for folder in folders}
    assert root.sizes_of(folders)[folders[7]] == {"k02.png": 7}
    assert root.sizes_of(folders)[folders[45]] == {}
    assert root.sizes_of([]) == {}


def test_listings_of_a_plan_wait_together(bucket: RemoteRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight folders are asked for at the same time: none of the eight questions is answered before all are put."""
    all_asked = threading.Barrier(8, timeout=20)
    list_folder = MemoryFileSystem.ls

    def slow_ls(self: Any, path: str, **options: Any) -> Any:
        all_asked.wait()
        return list_folder(self, path, **options)

    monkeypatch.setattr(MemoryFileSystem, "ls", slow_ls)

    assert bucket.sizes_of([f"images/{n}" for n in range(8)]) == {f"images/{n}": {} for n in range(8)}


def test_a_file_system_without_whole_puts_gets_a_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind such a URL a put that breaks off shows nothing under the final name, and tidy drops what it left."""
    root = RemoteRoot(f"local://{tmp_path}/out")
    root.write("a/x.png", b"whole")

    def broken_pipe(path: str, content: bytes) -> None:
        Path(path).write_bytes(content[:2])
        raise OSError("connection lost")

    monkeypatch.setattr(root.filesystem, "pipe_file", broken_pipe)
    with pytest.raises(OSError, match="connection lost"):
        root.write("a/y.png", b"whole")

    assert root.sizes("a") == {"x.png": 5}
    assert list((tmp_path / "out" / PARTIAL).iterdir()) != []
    root.tidy()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_a_stores_own_errors_become_os_errors(bucket: RemoteRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What botocore raises beside OSErrors arrives as OSError; missing credentials say which variables to set."""
    exceptions = pytest.importorskip("botocore.exceptions")

    def fail_with(error: Exception) -> None:
        def cat_file(self: Any, path: str, **options: Any) -> bytes:
            raise error

        monkeypatch.setattr(MemoryFileSystem, "cat_file", cat_file)

    fail_with(exceptions.EndpointConnectionError(endpoint_url="http://nowhere"))
    with pytest.raises(OSError, match="EndpointConnectionError"):
        bucket.read("x")
    fail_with(exceptions.NoCredentialsError())
    with pytest.raises(PermissionError, match=r"no credentials found; .*AWS_PROFILE"):
        bucket.read("x")
    fail_with(PermissionError("Access Denied"))
    with pytest.raises(PermissionError, match=r"access denied .Access Denied.; check"):
        bucket.read("x")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without s3fs, s3:// says which of our extras brings it; an unknown protocol is a config error too."""

    def missing(protocol: str) -> Any:
        raise ImportError("Install s3fs to access S3")

    with pytest.raises(ConfigError, match=r"^nonsense://x: .*nonsense"):
        open_filesystem("nonsense://x")
    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(ConfigError, match=r"pip install 'flatpipe\[s3\]'$"):
        RemoteRoot("s3://bucket/x")


@pytest.mark.parametrize("name", ["a#b?.png", "a b%20.png", "[x]*.png", "ünï.png", "b\udcff.png"])
def test_odd_names_are_names(name: str, bucket: RemoteRoot) -> None:
    """No sign in an object's name means anything: it is written, listed and read back as it is."""
    bucket.write(f"images/{name}", b"1")
    ((found, size, _),) = bucket.listing()

    assert found == f"images/{name}".encode("utf-8", "backslashreplace").decode()
    assert size == 1
    assert read_url(f"memory://bucket/out/{found}") == b"1"


def test_objects_are_discovered_in_byte_order_with_addresses_that_can_be_read(bucket: RemoteRoot) -> None:
    """Sources of a URL come sorted, filtered, with a size, a stamp, and a path that reads back the object."""
    for name in ("b.png", "a/z.png", "a.txt", "Z.png", "a-b/é.png"):
        bucket.write(name, name.encode())
    sources = list(discover(Selection("memory://bucket/out/", ("**/*.png",))))

    assert [source.image_id for source in sources] == ["Z.png", "a-b/é.png", "a/z.png", "b.png"]
    assert [read_url(source.path).decode() for source in sources] == [source.image_id for source in sources]
    assert all(source.stamp and source.size for source in sources)


def test_a_replaced_object_has_another_stamp(bucket: RemoteRoot) -> None:
    """Writing an object anew changes its stamp, also when the size stays."""
    bucket.write("a.png", b"1")
    before = bucket.listing()
    bucket.write("a.png", b"2")

    assert bucket.listing() != before


def test_copies_on_the_local_disk_break_off_whole(tmp_path: Path) -> None:
    """A store whose source cannot be read leaves the old file and nothing partial."""
    root = LocalRoot(str(tmp_path / "out"))
    root.write("x", b"old")
    with pytest.raises(FileNotFoundError):
        root.store("x", str(tmp_path / "none"))

    assert root.read("x") == b"old"
    assert list((tmp_path / "out" / PARTIAL).iterdir()) == []
