"""Archives in the input: their members are found as the files of a folder are, and read as they are."""

from __future__ import annotations

import os
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from archive_builders import ARCHIVES, tar_of

from flatpipe.errors import ImageTooLarge
from flatpipe.places import ReadPolicy
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.archives.gzipped_tar import spacing_at
from flatpipe.storage.archives.kinds import name_within
from flatpipe.storage.archives.sorting import SortedRecords
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.litter import PassedOver
from flatpipe.storage.reading import read_input, source_digest
from flatpipe.storage.several.named import NamedInput


def found(root: Path | str, **changes: object) -> list[ImageSource | RefusedFile]:
    """All that discovery gives."""
    return list(discover(Selection(str(root), **{"include": ("*.png",), **changes})))  # type: ignore[arg-type]


def ids(root: Path | str, **changes: object) -> list[str]:
    """Ids of what may be opened."""
    return [item.image_id for item in found(root, **changes) if isinstance(item, ImageSource)]


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_members_are_read_as_they_were_put_in(suffix: str, tmp_path: Path) -> None:
    """Of an archive of any kind every member is found, sorted, with its size, and read back in any order."""
    contents = {"z.png": b"z" * 5000, "sub/a.png": b"", "./b.png": os.urandom(70_000), "c.txt": b"text"}
    (tmp_path / f"shard.{suffix}").write_bytes(ARCHIVES[suffix](contents))
    sources = found(tmp_path)

    wanted = {f"shard.{suffix}/{name.removeprefix('./')}": one for name, one in contents.items() if ".png" in name}
    assert [one.image_id for one in sources if isinstance(one, ImageSource)] == sorted(wanted)
    for source in reversed(sources):
        assert isinstance(source, ImageSource)
        assert source.path == f"{tmp_path}/shard.{suffix}"
        assert source.size == len(wanted[source.image_id]) or suffix == "parquet"
        # ^ which tells how large rows are on average
        assert read_input(source, ReadPolicy((str(tmp_path),))) == wanted[source.image_id]


def test_an_archive_stands_among_folders_in_the_order_of_ids(tmp_path: Path) -> None:
    """Members come where the files of a folder of the archive's name would, between what sorts before and behind."""
    for name in ("a.tar-b.png", "a.png", "a.tar.png", "b/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for name in ("a.tar", "b/b.TAR"):
        (tmp_path / name).write_bytes(tar_of({"m-1.png": b"", "m/1.png": b"", "m.png": b""}))
    names = ids(tmp_path)

    assert len(names) == 10
    assert names == sorted(names, key=os.fsencode)


def test_patterns_hold_for_the_whole_id_of_a_member(tmp_path: Path) -> None:
    """Include and exclude see archive and member as one path; an archive that is excluded is not opened at all."""
    for name in ("one.tar", "two.tar"):
        (tmp_path / name).write_bytes(tar_of({"a.png": b"", "sub/b.png": b"", "c.jpg": b""}))
    (tmp_path / "broken.tar").write_bytes(b"junk")
    sound = {"exclude": ("broken.tar",)}

    assert ids(tmp_path, include=("one.tar/*.{png,jpg}",), **sound) == ["one.tar/a.png", "one.tar/c.jpg"]
    assert ids(tmp_path, exclude=("*.tar/sub/**", "two.tar/**", "broken.tar")) == ["one.tar/a.png"]
    assert found(tmp_path, exclude=("*.tar",)) == found(tmp_path, exclude=("*.tar/**",)) == []
    assert [item for item in found(tmp_path, **sound) if isinstance(item, RefusedFile)] == []


def test_what_nobody_means_is_passed_over_in_archives_too(tmp_path: Path) -> None:
    """Litter, hidden files, archives within archives and other files are counted, and are no images."""
    names = ("__MACOSX/a.png", "sub/._b.png", ".hidden/c.png", "Thumbs.db", "inner.tar", "notes.txt", "d.png", "dir/")
    (tmp_path / "shard.tar").write_bytes(tar_of(dict.fromkeys(names, b"")))
    passed_over = PassedOver()
    items = list(discover(Selection(str(tmp_path), ("*.png",)), passed_over))

    assert [item.image_id for item in items if isinstance(item, ImageSource)] == ["shard.tar/d.png"]
    assert passed_over.counts == {"litter": 2, "hidden": 2, "other files": 2}


def test_an_archive_is_named_alone_or_behind_a_url(tmp_path: Path) -> None:
    """Where input.path is an archive itself, ids begin with its name, whether it is a file or lies in a store."""
    content = tar_of({"a.png": b"png"})
    (tmp_path / "shard.tar").write_bytes(content)
    fsspec.filesystem("memory").pipe_file("/bucket/deep/shard.tar", content)
    for place, wanted in (
        (str(tmp_path / "shard.tar"), "shard.tar/a.png"),
        ("memory://bucket/deep/shard.tar", "shard.tar/a.png"),
        ("memory://bucket", "deep/shard.tar/a.png"),
    ):
        (source,) = found(place)
        assert isinstance(source, ImageSource)
        assert (source.image_id, read_input(source, ReadPolicy())) == (wanted, b"png")


class Ranges(SimpleHTTPRequestHandler):
    """Gives parts of files to who asks for them, as most web servers do."""

    def do_GET(self) -> None:
        """The part, or the whole file."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked is None:
            super().do_GET()
            return
        start, last = map(int, asked.groups())
        part = Path(self.translate_path(self.path)).read_bytes()[start : last + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{last}/*")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.mark.parametrize("handler", [Ranges, SimpleHTTPRequestHandler])
@pytest.mark.parametrize("suffix", ARCHIVES)
def test_a_web_server_must_give_parts(handler: type[SimpleHTTPRequestHandler], suffix: str, tmp_path: Path) -> None:
    """Members are read from where they lie on a web server; one that gives whole files alone is one row."""
    contents = {"a.png": b"a", "b.png": os.urandom(100_000)}
    (tmp_path / f"shard.{suffix}").write_bytes(ARCHIVES[suffix](contents))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        items = found(f"http://127.0.0.1:{server.server_address[1]}/shard.{suffix}")
        read = [read_input(item, ReadPolicy()) for item in items if isinstance(item, ImageSource)]
        server.shutdown()

    if handler is Ranges:
        assert {item.stamp for item in items if isinstance(item, ImageSource)} == {
            f"{(tmp_path / f'shard.{suffix}').stat().st_size} bytes"
        }
        assert read == list(contents.values())
    else:
        (item,) = items
        assert isinstance(item, RefusedFile)
        assert item.failure.error == "io-error"
        assert "gives no parts of files" in item.failure.message


@pytest.mark.parametrize(("image_id", "path", "frame", "name"), [
    ("d/a.tar/x/b.png", "/in/d/a.tar", 0, "x/b.png"),
    ("a.tar/a.tar/b.png", "/in/a.tar/a.tar", 0, "b.png"),
    ("old-a.tar/a.tar/b.png", "/in/old-a.tar/a.tar", 0, "b.png"),
    ("a.tar/b.tif#002", "/in/a.tar", 1, "b.tif"),
    ("a.tar/b.tif~0123456789ab#001", "/in/a.tar", 0, "b.tif"),
    ("a.tar/b.png#001", "/in/a.tar", 4, "b.png#001"),
    ("h/a.zip~0123456789ab/b.png", "https://h/a.zip?download=1", 0, "b.png"),
    ("a.tar/b.png", "s3://bucket/deep/a.tar", 0, "b.png"),
    ("a.tar", "/in/a.tar", 0, ""),
    ("d/b.png", "/in/d/b.png", 0, ""),
])  # fmt: skip
def test_a_member_is_looked_for_by_its_own_name(image_id: str, path: str, frame: int, name: str) -> None:
    """What stands before it, in folders called alike too, marks and a frame's number are no part of it."""
    assert name_within(ImageSource(image_id, path, 1, "", frame=frame)) == name


def test_an_index_of_a_gzip_file_stays_small() -> None:
    """However far into a file a member lies, the points of the index that reaches there are no more than 512."""
    places = [0, 1, (2 << 30) - 1, 2 << 30, (4 << 30) - 1, 5 << 30, 100 << 30, 1 << 50]

    assert spacing_at(0) == spacing_at((2 << 30) - 1) == 4 << 20
    assert all(place // spacing_at(place) <= 512 for place in places)


def test_links_and_limits_hold_for_an_archive_as_for_a_file(tmp_path: Path) -> None:
    """No link leads out of the input to an archive, now or later; no member is larger than memory allows."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out.tar").write_bytes(tar_of({"a.png": b"x" * 100}))
    (tmp_path / "in" / "link.tar").symlink_to(tmp_path / "out.tar")
    (item,) = found(tmp_path / "in")
    assert isinstance(item, RefusedFile)
    assert (item.source.image_id, item.failure.error) == ("link.tar", "unsupported")

    (source,) = found(tmp_path / "in", follow_symlinks=True)
    assert isinstance(source, ImageSource)
    assert source_digest(source, ReadPolicy((str(tmp_path / "in"),))) == ""
    with pytest.raises(ImageTooLarge, match="member has 100 bytes"):
        read_input(source, ReadPolicy(max_bytes=99))


def test_more_records_than_memory_takes_are_sorted_on_disk() -> None:
    """SortedRecords gives back what it took in, in order, wherever it waited."""
    taken = [f"{n * 7919 % 1000:04d}\n\0".encode() for n in range(1000)]
    records = SortedRecords(in_memory=64)
    for record in taken:
        records.add(record)

    assert list(records) == sorted(taken)
    records.close()


def test_members_are_named_beside_other_archives_each_once(tmp_path: Path) -> None:
    """Archives on a command line, and a folder that holds one of them, give each member once, under its own id."""
    (tmp_path / "in").mkdir()
    broken = tar_of({"a.png": b"", "../b.png": b"", "/c.png": b""})[: 3 * 512]
    for place in ("in/one.tar", "two.tar"):
        (tmp_path / place).write_bytes(broken)
    places = tuple(str(tmp_path / place) for place in ("in", "in/one.tar", "two.tar"))
    items = list(NamedInput(places, Selection("", ("*.png",))).images(PassedOver()))

    members = ("", "/%2E%2E/b.png", "/%2Fc.png", "/a.png")
    assert [item.source.image_id if isinstance(item, RefusedFile) else item.image_id for item in items] == [
        f"{archive}{member}" for archive in ("in/one.tar", "two.tar") for member in members
    ]
