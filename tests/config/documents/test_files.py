"""Files that are no configs: each gets one clear sentence, never a traceback."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from flatpipe.config import load_config
from flatpipe.errors import ConfigError

SOUND = "input: {path: photos}\n"


def _said(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return str(caught.value).replace(str(path.parent), "DIR")


def test_a_missing_file_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    """A config that is not there is an error that proposes the file whose name is nearest."""
    (tmp_path / "pipeline.yml").write_text(SOUND)
    (tmp_path / "notes.txt").write_text("")

    assert _said(tmp_path / "pipeline.yaml") == (
        "DIR/pipeline.yaml: no such config file; did you mean 'DIR/pipeline.yml'?"
    )


def test_a_missing_file_in_an_empty_folder(tmp_path: Path) -> None:
    """Where there is no config at all, the command that writes one is named."""
    assert _said(tmp_path / "x.yaml") == (
        "DIR/x.yaml: no such config file; `flatpipe init` writes one, `flatpipe flatten` needs none"
    )
    assert "no such config file" in _said(tmp_path / "no folder" / "x.yaml")


def test_a_far_fetched_name_is_not_proposed(tmp_path: Path) -> None:
    """Where no name is near, those that there are are named, and none is said to be meant."""
    (tmp_path / "bad.yaml").write_text(SOUND)
    (tmp_path / "b1.yaml").write_text(SOUND)

    assert _said(tmp_path / "nope.yaml") == "DIR/nope.yaml: no such config file; there is b1.yaml, bad.yaml"
    assert _said(tmp_path / "b2.yaml") == "DIR/b2.yaml: no such config file; there is b1.yaml, bad.yaml"


@pytest.mark.parametrize(("names", "chosen"), [
    (["pipeline.yaml"], "pipeline.yaml"),
    (["a.yaml", "pipeline.yaml"], "pipeline.yaml"),
    (["mine.yml", "notes.txt"], "mine.yml"),
], ids=" ".join)  # fmt: skip
def test_a_folder_stands_for_the_config_in_it(names: list[str], chosen: str, tmp_path: Path) -> None:
    """pipeline.yaml, or the only YAML file of a folder, is loaded when the folder is named, with its own paths."""
    for name in names:
        (tmp_path / name).write_text(SOUND.replace("photos", f"photos-of-{name}"))

    assert load_config(tmp_path).input.path == f"{tmp_path}/photos-of-{chosen}"


@pytest.mark.parametrize(("names", "words"), [
    (["a.yaml", "b.yaml"], " holds several configs; name one of them: a.yaml, b.yaml"),
    (
        ["01.png"],
        " holds no config: `flatpipe flatten 'DIR/it s'` needs none, `flatpipe init 'DIR/it s'` writes one",
    ),
], ids=["several", "none"])  # fmt: skip
def test_a_folder_without_one_config_says_what_to_do(names: list[str], words: str, tmp_path: Path) -> None:
    """Several configs are named, of none the two ways on are told, ready to be typed."""
    folder = tmp_path / "it s"
    folder.mkdir()
    for name in names:
        (folder / name).write_text(SOUND)

    assert _said(folder).replace(str(tmp_path), "DIR") == f"DIR/it s{words}"


def test_an_image_is_no_config(tmp_path: Path) -> None:
    """An image in the place of a config is told as such, with the command that it was meant for."""
    (tmp_path / "01.PNG").write_bytes(b"\x89PNG")

    assert _said(tmp_path / "01.PNG") == "DIR/01.PNG is an image: flatpipe flatten DIR/01.PNG"


@pytest.mark.parametrize(("content", "words"), [
    (SOUND.encode("utf-16"), ": a text in UTF-16; save it as UTF-8"),
    (codecs.BOM_UTF16_BE + SOUND.encode("utf-16-be"), ": a text in UTF-16; save it as UTF-8"),
    (b"input:\n  path: caf\xe9\n", ":2: not a text in UTF-8 (byte 18); save it as UTF-8"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ":1: not a text in UTF-8 (byte 0); save it as UTF-8"),
    (b"# \n" * 400_000, ": larger than 1 MB; is this a config?"),
], ids=["utf-16", "utf-16-be", "latin-1", "png", "huge"])  # fmt: skip
def test_other_contents_are_refused_in_words(content: bytes, words: str, tmp_path: Path) -> None:
    """Another encoding, an image or a huge file is named as what it is."""
    (tmp_path / "c.yaml").write_bytes(content)

    assert _said(tmp_path / "c.yaml") == f"DIR/c.yaml{words}"


def test_a_nul_is_pointed_at(tmp_path: Path) -> None:
    """A NUL within a text is an error with line and column."""
    (tmp_path / "c.yaml").write_bytes(b"input:\n  path: a\0b\n")

    assert _said(tmp_path / "c.yaml").splitlines()[1:] == [
        "DIR/c.yaml:2:10: the character U+0000 may not stand in a config",
        "      path: a?b",
        "             ^",
    ]


def test_a_name_with_a_nul_is_no_file() -> None:
    """A file name that no system could hold is an error like any other."""
    with pytest.raises(ConfigError, match="NUL"):
        load_config("a\0b.yaml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file that may not be read is an error that says so."""
    (tmp_path / "c.yaml").write_text(SOUND)
    (tmp_path / "c.yaml").chmod(0)

    assert _said(tmp_path / "c.yaml") == "DIR/c.yaml: cannot be read: Permission denied"


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    """A UTF-8 file as Windows editors write it reads like any other."""
    (tmp_path / "c.yaml").write_bytes(codecs.BOM_UTF8 + b"input:\r\n  path: photos\r\n")

    assert load_config(tmp_path / "c.yaml").input.path == str(tmp_path / "photos")

    (tmp_path / "c.yaml").write_bytes(codecs.BOM_UTF8 + b"input: {path: 5}\r\n")
    assert _said(tmp_path / "c.yaml").splitlines()[2:] == ["    input: {path: 5}", "                  ^"]


@pytest.mark.parametrize("text", [
    "[" * 50_000,
    "{a: " * 50_000,
    "- " * 50_000,
    "a: &a [" + "x, " * 20 + "]\n" + "".join(f"{n}: &n{n} [{'*a, ' if n == 0 else f'*n{n - 1}, ' * 20}]\n"
                                              for n in range(12)),
    "input: &a {path: x, <<: [*a, *a, *a]}",
    "a: &a {<<: *a}",
    "input: {path: x}\nk: " + "9" * 100_000,
    "".join(f"key{n}: 1\n" for n in range(5_000)),
], ids=["lists", "mappings", "dashes", "laughs", "merges", "merge-of-itself", "number", "keys"])  # fmt: skip
def test_hostile_texts_end_in_words(text: str, tmp_path: Path) -> None:
    """Endless nesting, alias bombs, huge numbers and thousands of keys are errors, told within seconds."""
    (tmp_path / "c.yaml").write_text(text)

    assert "in the config\n" in _said(tmp_path / "c.yaml")
