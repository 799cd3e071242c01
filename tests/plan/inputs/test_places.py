"""Several places and patterns as one input: what they stand for, ids, order, and what is refused."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from archive_builders import tar_of
from hypothesis import given, settings
from hypothesis import strategies as st

from flatpipe.config import Config, parse_config
from flatpipe.errors import ConfigError
from flatpipe.plan.inputs.places import check_input, input_base, input_title, input_words, searched_folders
from flatpipe.plan.inputs.sources import input_sources
from flatpipe.records import ImageSource
from flatpipe.storage.discover import RefusedFile
from flatpipe.storage.litter import PassedOver

FILES = ("a.png", "a/x.png", "a/y.png", "a-b/x.png", "b/a/x.png", "b/z.png", "b/00.png", "b/01.png", "b/notes.txt")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Files of some folders, one of which has signs of patterns in its name."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve() / "photos [2020]"
        for file in (*FILES, "b/{00,01}.tiff", "b/pipeline.yaml", "b/.hidden.png"):
            (top / file).parent.mkdir(parents=True, exist_ok=True)
            (top / file).write_bytes(b"x")
        yield top


def config_of(folder: Path, *paths: str, more: str = "") -> Config:
    """A config in the folder whose input has these paths."""
    text = f"input:\n  path: {list(paths)!r}\n{more}output: {{path: ../out}}\n"
    return parse_config(text, "c.yaml", str(folder)).config


def found(config: Config) -> list[ImageSource]:
    """What is found, in its order."""
    return [item.source if isinstance(item, RefusedFile) else item for item in input_sources(config)]


@given(st.lists(st.sampled_from((".", "a", "a-b", "b", "b/a", "*", "*/", "b/*", "{a,b}", *FILES[:6])), min_size=1))
@settings(max_examples=25)
def test_each_file_comes_once_in_order(folder: Path, paths: list[str]) -> None:
    """Whatever places overlap: each file once, under its path below the common folder, in the byte order of ids."""
    config = config_of(folder, *paths)
    images = found(config)
    base = Path(input_base(config))

    assert [Path(image.path) for image in images] == [base / image.image_id for image in images]
    assert [image.image_id for image in images] == sorted({image.image_id for image in images}, key=os.fsencode)
    alone = [{image.path for image in found(config_of(folder, path))} for path in paths]
    assert {image.path for image in images} == set().union(*alone)


@pytest.mark.parametrize(("paths", "ids"), [
    (["a"], ["x.png", "y.png"]),
    (["a", "b/a"], ["a/x.png", "a/y.png", "b/a/x.png"]),
    (["b/{00..01}.png"], ["00.png", "01.png"]),
    (["b/{00,01}.tiff"], ["{00,01}.tiff"]),
    (["b/*.PNG"], ["00.png", "01.png", "z.png"]),
    (["b/*"], ["00.png", "01.png", "a/x.png", "z.png", "{00,01}.tiff"]),
    (["b/notes.txt", "b/0?.png"], ["00.png", "01.png", "notes.txt"]),
    (["*/x.png"], ["a-b/x.png", "a/x.png"]),
    (["**/x.png"], ["a-b/x.png", "a/x.png", "b/a/x.png"]),
    (["*/a"], ["b/a/x.png"]),
], ids=" ".join)  # fmt: skip
def test_patterns_name_what_shells_would(paths: list[str], ids: list[str], folder: Path) -> None:
    """A literal name wins, braces count with zeros, a `*` takes images alone; ids begin where the pattern does."""
    assert [image.image_id for image in found(config_of(folder, *paths))] == ids


@pytest.mark.parametrize(("paths", "message"), [
    (["a", "none"], "c.yaml:2:15: input.path.1: FOLDER/none does not exist"),
    (["b/{00..02}.png"], "c.yaml:2:10: input.path.0: FOLDER/b/02.png does not exist"),
    (["a/*.gif"], "c.yaml:2:10: input.path.0: FOLDER/a/*.gif: nothing is called so"),
    (["{0..9999999}"], "c.yaml:2:10: input.path.0: FOLDER/{0..9999999}: stands for more than 100,000 places"),
    (["https://host/*.png"], "c.yaml:2:10: input.path.0: https://host/*.png: a web server lists nothing"),
    (["s3://{a,b}/x"], "c.yaml:2:10: input.path.0: s3://{a,b}/x: the host or bucket of a URL must be written out"),
    (["a", ".."], "output.path: input.path (PARENT) and output.path (PARENT/out) overlap"),
    (["../*"], "output.path: input.path (PARENT/*) matches PARENT/out; outputs need a folder of their own"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")  # fmt: skip
def test_what_cannot_be_meant_is_told_with_its_line(paths: list[str], message: str, folder: Path) -> None:
    """What is not there, stands for too much, or would hold the outputs is one error at the place of the value."""
    with pytest.raises(ConfigError) as told:
        check_input(config_of(folder, *paths))

    assert message.replace("FOLDER", str(folder)).replace("PARENT", str(folder.parent)) in str(told.value)


def test_urls_have_ids_below_their_last_parts() -> None:
    """As many parts as tell them apart; what would have one id all the same is marked; a URL's pattern is asked for."""
    store = fsspec.filesystem("memory")
    names = ("a/p/x.png", "b/p/x.png", "q/0.png", "q/1.png", "q/2.gif", "lit{e,}/x.png")
    for name in names:
        store.pipe(f"/places/{name}", b"x")

    def ids(*paths: str) -> list[str]:
        return [
            image.image_id for image in found(config_of(Path("/tmp"), *(f"memory://places/{one}" for one in paths)))
        ]

    assert ids("a/p", "b/p", "q") == ["a/p/x.png", "b/p/x.png", "q/0.png", "q/1.png", "q/2.gif"]
    assert ids("q/{0..1}.png") == ids("q/*.png") == ["0.png", "1.png"]
    assert ids("q/{0..1}.png", "a/p") == ["p/x.png", "q/0.png", "q/1.png"]
    assert ids("lit{e,}") == ["x.png"]


def test_equal_ids_are_told_apart(folder: Path) -> None:
    """Of a path and a URL with one id the path keeps it; the URL's gets a mark that its place alone decides."""
    fsspec.filesystem("memory").pipe("/apart/a/x.png", b"x")
    first, marked, *_ = found(config_of(folder, "memory://apart/a", "a", "a-b"))[1:]

    assert (first.image_id, first.path) == ("a/x.png", f"{folder}/a/x.png")
    assert marked == ImageSource("a/x.png~fb8411a76bf9", "memory://apart/a/x.png", 1, marked.stamp)


def test_words_for_people_name_a_few(folder: Path) -> None:
    """Messages name three places, the report's title their last parts, those of patterns where these begin."""
    config = config_of(folder, "a", "b/*.png", "a-b", "b/a")

    assert input_words(config) == f"{folder}/a, {folder}/b/*.png, {folder}/a-b and 1 more"
    assert input_title(config) == "a, b, a-b"


def test_no_link_leads_out_of_a_searched_folder(folder: Path) -> None:
    """Folders that a list or a pattern names are roots, files are not, and with many the pattern's folder is one."""
    assert searched_folders(config_of(folder, "a", "b/z.png", "*-b")) == (f"{folder}/a", f"{folder}/a-b")
    assert searched_folders(config_of(folder, "a", more="  follow_symlinks: true\n")) == ()


def test_a_place_that_holds_no_image_is_noted(folder: Path, tmp_path: Path) -> None:
    """What may be a disk that is not mounted is told, where other places have images; an archive is none."""
    (tmp_path / "empty.tar").write_bytes(tar_of({}))
    passed_over = PassedOver()
    images = list(input_sources(config_of(folder, "a", str(tmp_path), f"{tmp_path}/empty.tar"), passed_over))

    assert len(images) == 2
    assert passed_over.empty == [str(tmp_path)]


@pytest.mark.parametrize(("section", "base"), [
    ("list: lists/a.csv", "FOLDER/lists"),
    ("list: /a.txt", "/"),
    ("list: lists/a.csv\n  path: photos", "FOLDER/photos"),
    ("list: s3://b/lists/a.csv", "s3://b/lists"),
    ("list: https://host/lists/a?x=1/2", "https://host/lists"),
    ("path: s3://b/photos", "s3://b/photos"),
    ("path: [s3://b/photos, s3://b/more]", ""),
])  # fmt: skip
def test_ids_begin_at_the_inputs_base(section: str, base: str, folder: Path) -> None:
    """A list's own folder or URL, or the path beside it; of URLs alone there is none."""
    config = parse_config(f"input:\n  {section}", "c.yaml", str(folder)).config

    assert input_base(config) == base.replace("FOLDER", str(folder))
