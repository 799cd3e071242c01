"""Lists of paths and URLs: what an entry names, its id whatever else stands in the list, and what is no list."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from archive_builders import tar_of
from hypothesis import given, settings
from hypothesis import strategies as st

from flatpipe import layout
from flatpipe.config import parse_config
from flatpipe.errors import ConfigError
from flatpipe.places import ReadPolicy
from flatpipe.plan.inputs.places import check_input
from flatpipe.plan.inputs.sources import input_sources
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.litter import PassedOver
from flatpipe.storage.reading import read_input
from flatpipe.storage.several.entries import Entry, entry_of

CONTENTS = {f"{name}.png": name.encode() for name in ("a", "a-b", "d/x", "d/y", "d-e/x", "q/é")}
ENTRIES = (
    *(*CONTENTS, "d", "d/", "./a.png", "d/../a.png", "shard.tar", "memory://lists/m.png", "memory://lists/m"),
    *("https://host/a.png", "https://host/a.png?w=1", "https://host/a.png?w=2", "none.png", "../out.png"),
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Files, a folder, an archive, and a store with a file and a folder."""
    store = fsspec.filesystem("memory")
    for name in ("m.png", "m/1.png", "m/2.png"):
        store.pipe(f"/lists/{name}", name.encode())
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        for file, content in CONTENTS.items():
            (top / "in" / file).parent.mkdir(parents=True, exist_ok=True)
            (top / "in" / file).write_bytes(content)
        (top / "in" / "shard.tar").write_bytes(tar_of({"t.png": b"tar"}))
        yield top


Found = list[ImageSource | RefusedFile]


def listed(folder: Path, text: str | bytes, *, name: str = "list.txt", more: str = "") -> Found:
    """What a list of this text in the folder names; `more` is further keys of the input section."""
    (folder / "in" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    written = f"input: {{list: in/{name}{more}}}\noutput: {{path: out}}"
    config = parse_config(written, "c.yaml", str(folder)).config
    check_input(config)
    return list(input_sources(config))


def ids(found: Found) -> list[str]:
    """The ids, of refused ones too."""
    return [item.source.image_id if isinstance(item, RefusedFile) else item.image_id for item in found]


@given(st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=8), st.sampled_from(ENTRIES))
@settings(max_examples=40, deadline=None)
def test_an_id_depends_on_its_entry_alone(folder: Path, entries: list[str], added: str) -> None:
    """Each image comes once, in the byte order of ids; one more entry takes none away; all bytes are those put in."""
    found = listed(folder, "\n".join(entries))

    assert ids(found) == sorted(set(ids(found)), key=os.fsencode)
    assert set(ids(found)) <= set(ids(listed(folder, "\n".join([*entries, added]))))
    for source in found:
        if isinstance(source, ImageSource) and source.part:
            assert read_input(source, ReadPolicy()) == b"tar"
        elif isinstance(source, ImageSource) and not source.path.startswith("https"):
            inner = source.image_id.removeprefix("lists/")
            assert read_input(source, ReadPolicy()) == CONTENTS.get(inner, inner.encode())


@pytest.mark.parametrize(("text", "base", "place", "image_id"), [
    ("a/b.png", "/in", "/in/a/b.png", "a/b.png"),
    ("./a//x/../b.png", "/in", "/in/a/b.png", "a/b.png"),
    ("/in/a.png", "/in", "/in/a.png", "a.png"),
    ("file:///in/a%20b.png", "/in", "/in/a b.png", "a b.png"),
    ("/other/a.png", "/in", "/other/a.png", "other/a.png"),
    (".", "/in", "/in", ""),
    ("a.png", "s3://b/in", "s3://b/in/a.png", "a.png"),
    ("x/../a.png", "s3://b/in", "s3://b/in/a.png", "a.png"),
    ("s3://b/in/a.png", "s3://b/in", "s3://b/in/a.png", "a.png"),
    ("s3://b/other/a.png", "s3://b/in", "s3://b/other/a.png", "b/other/a.png"),
    ("/other/a.png", "s3://b/in", "/other/a.png", "other/a.png"),
    ("https://host:80/p/a", "/in", "https://host:80/p/a", "host:80/p/a"),
    ("https://h/a.png?w=1", "/in", "https://h/a.png?w=1", layout.marked("h/a.png", "https://h/a.png?w=1")),
    ("s3://b/a.png?v", "/in", "s3://b/a.png?v", "b/a.png?v"),
    ("~no-such-user", "/in", "/in/~no-such-user", "~no-such-user"),
])  # fmt: skip
def test_an_entry_names_a_place(text: str, base: str, place: str, image_id: str) -> None:
    """Relative entries as written, absolute ones below the base or whole, URLs by host and path, a query as a mark."""
    assert entry_of(text, base) == Entry(place, image_id)


@pytest.mark.parametrize(("text", "base", "image_id", "path", "words"), [
    ("../a.png", "/in", "%2E%2E/a.png", "../a.png", "leads out"),
    ("a/../../a.png", "s3://b/in", "a/%2E%2E/%2E%2E/a.png", "a/../../a.png", "leads out"),
    ("a\0b", "/in", "a%00b", "a%00b", "NUL"),
    ("ftp://h/a.png", "/in", "h/a.png", "ftp://h/a.png", "ftp:// is not supported"),
    ("https://me:pw@h/a.png", "/in", "h/a.png", "https://h/a.png", "password"),
    ("https://h/a.png?X-Amz-Signature=5ec2e7", "/in", "h/a.png", "https://h/a.png", "signature"),
])  # fmt: skip
def test_an_entry_that_names_no_place_is_a_row(text: str, base: str, image_id: str, path: str, words: str) -> None:
    """It is refused by itself, under an id that is safe and without the secret that it may hold."""
    refused = entry_of(text, base)

    assert isinstance(refused, RefusedFile)
    assert (refused.source.image_id.replace("%25", "%"), refused.source.path.replace("%25", "%")) == (image_id, path)
    assert words in refused.failure.message
    assert "5ec2e7" not in str(refused)
    assert "me:pw" not in str(refused)


@pytest.mark.parametrize(("name", "text", "more"), [
    ("l.txt", "# photos\n\n  a.png \r\n#b\nd/x.png\n", ""),
    ("l.list", b"\xef\xbb\xbfa.png\nd/x.png", ""),
    ("l.txt", "a.png\r\nd/x.png\r\n".encode("utf-16"), ""),
    ("l.CSV", "id,Filename,note\n1,a.png,\"two\nlines\"\n2,,\n3,d/x.png,\n4\n", ""),
    ("l.csv", "whatever\na.png\n\nd/x.png\n", ""),
    ("l.csv", "./a.png\nd/x.png\n", ""),
    ("l.csv", "path,url\nd/x.png,a.png\n,d/x.png\n", ", column: URL"),
    ("l.tsv", "image_url\tcaption\na.png\ta, b\nd/x.png\t\"\n", ""),
])  # fmt: skip
def test_lists_are_read_as_people_write_them(name: str, text: str, more: str, folder: Path) -> None:
    """Text with comments, marks of order and ends of lines of any system; tables by the name of their column."""
    assert ids(listed(folder, text, name=name, more=more)) == ["a.png", "d/x.png"]


@pytest.mark.parametrize(("name", "text", "more", "message"), [
    ("l.csv", "id,caption\n1,x\n", "", "c.yaml:1:15: input.list: FOLDER/l.csv: no column has the images by its name: "
     "input.column names one of id, caption"),
    ("l.csv", "path,url\n1,x\n", "", "several columns may have the images: input.column names one of path, url"),
    ("l.csv", "path,url\n1,x\n", ", column: link", "c.yaml:1:33: input.column: FOLDER/l.csv has no column 'link'; it "
     "has: path, url"),
    ("l.txt", b"x" * 200_000, "", "l.txt: line 1 has no end; this is no list of paths and URLs"),
    ("l.csv", b'path\n"' + b"x\n" * 100_000, "", "l.csv: cannot be read as a table at line 65,538: field larger than"),
    ("l.txt", b"\xff\xfea", "", "l.txt: cannot be read after line 0: it is no text in UTF-16"),
    ("l.txt", "a.png", ", path: in/a.png", "in/a.png is no folder, and relative entries of input.list start there"),
])  # fmt: skip
def test_what_is_no_list_is_told_with_its_line(name: str, text: str, more: str, message: str, folder: Path) -> None:
    """One error at the key of the config that is to be changed, with the columns that there are."""
    with pytest.raises(ConfigError) as told:
        listed(folder, text, name=name, more=more)

    assert message.replace("FOLDER", f"{folder}/in") in str(told.value)


def test_entries_that_are_gone_or_come_again(folder: Path) -> None:
    """What is not there is a row, as is an output; a line that comes again, or is excluded, is counted."""
    (folder / "out").mkdir(exist_ok=True)
    (folder / "out" / "k02.png").touch()
    lines = [
        "a.png",
        "./a.png",
        "none",
        "memory://lists/none.png",
        f"{folder}/out/k02.png",
        "list.txt",
        "d",
        "shard.tar",
    ]
    (folder / "in" / "list.txt").write_text("\n".join(lines))
    text = "input: {list: in/list.txt, exclude: [d/y.png, shard.tar]}\noutput: {path: out}"
    passed_over = PassedOver()
    found = list(input_sources(parse_config(text, "c.yaml", str(folder)).config, passed_over))

    rows = {item.source.image_id: item.failure.message for item in found if isinstance(item, RefusedFile)}
    assert rows == {
        "none": "cannot be read: No such file or directory",
        "lists/none.png": "cannot be read: No such file or directory",
        f"{folder}/out/k02.png"[1:]: "it lies in the output folder; results are no input",
    }
    assert [item.image_id for item in found if isinstance(item, ImageSource)] == ["a.png", "d/x.png", "list.txt"]
    assert passed_over.counts == {"repeated entries": 1, "other files": 2}


def test_a_folder_of_a_list_that_holds_the_output_gives_none_of_it(folder: Path) -> None:
    """A run that was killed leaves images there, and neither ledger nor run.json where its state lies elsewhere."""
    (folder / "out" / "images" / "a.png").mkdir(parents=True, exist_ok=True)
    (folder / "out" / "images" / "a.png" / "k02.png").touch()

    assert not [name for name in ids(listed(folder, str(folder))) if "out/" in name]


def test_an_archive_that_a_web_server_does_not_have_is_a_row(folder: Path) -> None:
    """Nobody has asked for it before it is listed: it is told, and hides what it held from who cleans."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        found = listed(folder, f"http://{host}/none.tar\nhttp://{host}/none.zip?v=1\na.png")
        places = f"input: {{path: [{folder}/in, 'http://{host}/none.tar']}}\noutput: {{path: out}}"
        with pytest.raises(ConfigError, match=r"none\.tar: input\.path cannot be read: No such file"):
            list(input_sources(parse_config(places, "c.yaml", str(folder)).config))
        server.shutdown()

    assert [item.failure.message for item in found if isinstance(item, RefusedFile)] == [
        "cannot be read: No such file or directory",
        "cannot be read: No such file or directory",
    ]
    assert len(found) == 3


def test_what_is_included_holds_for_a_list_where_it_is_said(folder: Path) -> None:
    """A web page's image is taken whatever it is called, unless input.include says what images are called."""
    text = "https://host/picture\nhttps://host/b.png?w=1\nd/x.png\n"

    assert len(listed(folder, text)) == 3
    assert ids(listed(folder, text, more=", include: '*.png'")) == ["d/x.png", ids(listed(folder, text))[1]]
