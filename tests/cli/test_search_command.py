"""flatpipe search, as a user meets it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Project
from PIL import Image

from flatpipe import cli, layout
from flatpipe.config import load_config
from flatpipe.errors import ExitCode
from flatpipe.pipeline import run as run_pipeline
from flatpipe.storage.roots import open_root

Call = Callable[[str], tuple[int, str, str]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run of two pictures, of two colours each, and features.parquet."""
    folder = tmp_path_factory.mktemp("search")
    project = Project(folder)
    project.configure(
        output={"path": "out", "features": True, "flats": "none"}, flatten={"k": [2]}, animation={"enabled": False}
    )
    for name, left, right in (("b,\n.png", "navy", "white"), ("a.png", "red", "gold")):
        picture = Image.new("RGB", (8, 8), left)
        picture.paste(right, (2, 0, 8, 8))
        picture.save(folder / "photos" / name)
    assert run_pipeline(load_config(folder / "pipeline.yaml")).done == 2
    return folder


@pytest.fixture
def flatpipe(finished: Path, tmp_path: Path, monkeypatch, capsys) -> Call:
    """Calls the command in a copy of that project, and gives exit code, stdout and stderr."""
    folder = tmp_path / "project"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)

    def call(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["flatpipe", *shlex.split(line)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        shown = capsys.readouterr()
        return int(str(end.value.code)), shown.out, shown.err

    return call


def test_the_nearest_come_first(flatpipe: Call) -> None:
    """A table tells image, k, colour, share and distance, the best first: the same by config, output and file."""
    code, told, remarks = flatpipe("search 000081")
    lines = told.splitlines()
    assert (code, remarks) == (ExitCode.DONE, "2 images of 2 palettes looked at\n")
    assert lines[0].split() == ["image", "k", "colour", "share", "distance", "file"]
    assert lines[1].split("  ") == ["b,\\n.png", "2", "#000080", "25.0%", "0.0018"]
    assert lines[2].split()[:3] == ["a.png", "2", "#ff0000"]
    Path("out", layout.LEDGER).rename("kept.sqlite")
    assert flatpipe("search 000081 out") == (code, told, remarks)
    assert flatpipe("search 000081 out/features.parquet") == (code, told, remarks)
    assert flatpipe("search 000081 pipeline.yaml") == (code, told, remarks)
    Path("kept.sqlite").rename(Path("out", layout.LEDGER))
    Path("out", layout.FEATURES).unlink()
    assert flatpipe("search 000081 out") == (code, told, remarks)


def test_an_image_must_have_all_colours(flatpipe: Call) -> None:
    """Of several colours all must be there, near enough and large enough; otherwise a sentence says that none has."""
    code, told, _ = flatpipe("search gold '#f00' out --within 0.01 --share 0.2 --k 2 --json")
    match, totals = map(json.loads, told.splitlines())
    assert (code, match["image"], match["file"], match["k"]) == (ExitCode.DONE, "a.png", None, 2)
    assert [(one["asked"], one["hex"], one["share"]) for one in match["colors"]] == [
        ("#ffd700", "#ffd700", 0.75),
        ("#ff0000", "#ff0000", 0.25),
    ]
    assert (totals["matches"], totals["palettes"], totals["colors"][1]["hex"]) == (1, 2, "#ff0000")
    nobody = "none of 2 palettes looked at has that\n"
    assert flatpipe("search gold red out --within 0.01 --share 0.3") == (ExitCode.DONE, "", nobody)
    code, told, remarks = flatpipe("search gold out --k 9")
    assert (code, told) == (ExitCode.DONE, "")
    assert remarks.startswith("there is no palette to look at")


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "few"])
def test_a_distance_is_a_number(flatpipe: Call, number: str) -> None:
    """What is no finite number from 0 is an error of the command line."""
    assert flatpipe(f"search gold out --within {number}")[0] == ExitCode.USAGE


def test_a_terminal_shows_the_colours(flatpipe: Call, monkeypatch) -> None:
    """Where colours can be shown each stands beside its hex digits, and all columns stay in line."""
    _, plain, _ = flatpipe("search white out")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    _, shown, _ = flatpipe("search white out")
    assert "\x1b[38;2;255;255;255m\u2588\u2588\x1b[0m #ffffff" in shown
    assert "\x1b" not in plain
    places = {re.sub("\x1b\\[[0-9;]*m", "", line).find("0.") for line in shown.splitlines()[1:]}
    assert len(places) == 1


def test_a_table_behind_a_url_is_read(flatpipe: Call) -> None:
    """The table of an output on a store is fetched, by the folder's URL and by its own."""
    root = open_root("memory://search/out")
    root.store(layout.FEATURES, str(Path("out", layout.FEATURES)))
    found = flatpipe("search navy memory://search/out")
    assert found == flatpipe("search navy out")
    assert flatpipe("search navy memory://search/out/features.parquet") == found
    code, _, remarks = flatpipe("search navy memory://search/other")
    assert (code, "there is no such file" in remarks) == (ExitCode.USAGE, True)


@pytest.mark.parametrize(("line", "words"), [
    ("search bleu", "'bleu' is no colour: a colour is #rrggbb or a CSS name; did you mean blue?"),
    ("search out", "'out' is no colour"),
    ("search out red", "'out' is no colour"),
    ("search red nowhere", "'nowhere' is neither a colour nor a place"),
    ("search red photos", "photos: no ledger.sqlite here"),
    ("search red broken.parquet", "broken.parquet: it cannot be read as features.parquet"),
    ("search red pipeline.yaml -s output.path=new", "new/features.parquet: there is no such file, and no ledger"),
])  # fmt: skip
def test_what_cannot_be_searched_is_told(line: str, words: str, flatpipe: Call) -> None:
    """A word that is no colour, a place that holds nothing to search: one sentence, and exit code 2."""
    Path("broken.parquet").write_bytes(b"none")
    code, told, remarks = flatpipe(line)
    assert (code, told) == (ExitCode.USAGE, "")
    assert words in remarks
