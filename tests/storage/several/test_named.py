"""What a command line names: files, folders, globs and URLs, each image once."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest

from flatpipe.errors import ConfigError
from flatpipe.storage.discover import Selection
from flatpipe.storage.litter import PassedOver
from flatpipe.storage.several.named import NamedInput, common_place, places_named

FILES = ("a.png", "B.PNG", "x/a.png", "x/b.jpg", "x/deep/c.png", "x/notes.txt", "[1].png")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files, the current one."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ids(*words: str) -> list[str]:
    """Ids of all images that the words name."""
    named = NamedInput(places_named(words), Selection("", ("**/*.{png,jpg}",)))
    return [found.image_id for found in named.images(PassedOver())]  # type: ignore[union-attr]


@pytest.mark.parametrize(("words", "found"), [
    (["a.png"], ["a.png"]),
    (["a.png", "./a.png", "x/../a.png"], ["a.png"]),
    (["x"], ["a.png", "b.jpg", "deep/c.png"]),
    (["x/deep", "x/b.jpg"], ["b.jpg", "deep/c.png"]),
    (["x", "x/a.png"], ["a.png", "b.jpg", "deep/c.png"]),
    (["x", "x/deep"], ["a.png", "b.jpg", "deep/c.png"]),
    (["x", "a.png"], ["a.png", "x/a.png", "x/b.jpg", "x/deep/c.png"]),
    (["x/notes.txt"], ["notes.txt"]),
    (["*.png"], ["B.PNG", "[1].png", "a.png"]),
    (["[1].png"], ["[1].png"]),
    (["x/*.{png,jpg}"], ["a.png", "b.jpg"]),
    (["**/c.png"], ["c.png"]),
    (["file://localhostFOLDER/a.png"], ["a.png"]),
], ids=" ".join)  # fmt: skip
def test_words_name_images_each_once(words: list[str], found: list[str], folder: Path) -> None:
    """Files as they are, of folders the images, of globs what a shell finds; ids are below the common folder."""
    assert ids(*[word.replace("FOLDER", str(folder)) for word in words]) == found


@pytest.mark.parametrize(("word", "message"), [
    ("none.png", "none.png: no such file or folder"),
    ("*.gif", "*.gif: nothing is called so"),
    ("s3://bucket/*.png", "s3://bucket/*.png: a URL takes no *; name the folder, and -s 'input.include=[...]'"),
    ("gopher://x/a.png", "gopher:// is not supported"),
])  # fmt: skip
def test_words_that_stand_for_nothing_are_told(word: str, message: str, folder: Path) -> None:
    """Each is an error in one line, with what to do."""
    with pytest.raises(ConfigError) as told:
        places_named(["a.png", word])

    assert str(told.value).startswith(message)


def test_a_config_is_no_image(folder: Path) -> None:
    """Alone it is an error with the command that was meant; among others, as photos/* names it, it is left out."""
    (folder / "pipeline.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"it s\.yaml is a config: flatpipe run 'it s\.yaml'"):
        places_named(["it s.yaml"])

    assert ids("a.png", "pipeline.yaml") == ["a.png"]


def test_urls_and_folders_come_together(folder: Path) -> None:
    """Of URLs and local places at once, ids begin at each place's own name; a URL may be a file or a folder."""
    store = fsspec.filesystem("memory")
    for name in ("/named/p/a.png", "/named/p/q/b.png", "/named/c.png"):
        store.pipe(name, b"x")

    assert ids("memory://named/p") == ["a.png", "q/b.png"]
    assert ids("memory://named/c.png", "memory://named/p", "a.png") == ["a.png", "c.png", "p/a.png", "p/q/b.png"]


def test_the_common_place_holds_all_places(folder: Path) -> None:
    """The deepest folder of all; a folder alone is its own; of URLs the first is taken."""
    top = str(folder)

    assert common_place(places_named(["x"])) == f"{top}/x"
    assert common_place(places_named(["x/deep", "x/b.jpg"])) == f"{top}/x"
    assert common_place(["memory://b/p", "s3://b/p"]) == "memory://b/p"


def test_what_cannot_be_opened_is_named_too(folder: Path) -> None:
    """A pipe among the images, and a link that leads out of a folder, become refusals under their ids."""
    os.mkfifo(folder / "x" / "pipe.png")
    (folder / "x" / "out.png").symlink_to(folder / "a.png")
    named = NamedInput(places_named(["x", "a.png"]), Selection("", ("*.png",)))
    refused = [found.source.image_id for found in named.images(PassedOver()) if hasattr(found, "failure")]

    assert refused == ["x/out.png", "x/pipe.png"]
