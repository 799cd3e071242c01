"""The three ways to open a run's places: to read, to amend, to run."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from pathlib import Path

import pytest
from builders import write_image

from flatpipe.config import Config, load_config
from flatpipe.errors import ConfigError, RunGivenUp
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.held_output import HeldOutput
from flatpipe.plan.holding import is_held
from flatpipe.plan.opening import Access
from flatpipe.plan.parts.part import RunPart
from flatpipe.plan.workspace import open_workspace


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The config of a folder with one image, in which nothing has run yet."""
    write_image(tmp_path / "photos" / "a.png")
    (tmp_path / "pipeline.yaml").write_text("input: {path: photos}\noutput: {path: out}\n")
    return load_config(tmp_path / "pipeline.yaml")


def test_reading_makes_nothing(config: Config, tmp_path: Path) -> None:
    """Where no run has been, a reader finds an empty ledger, and leaves no folder behind."""
    with open_workspace(config, "read") as workspace:
        assert workspace.ledger.last_run() is None
    assert not (tmp_path / "out").exists()


def test_only_what_is_there_can_be_amended(config: Config, tmp_path: Path) -> None:
    """Without a ledger there is nothing to amend: an error in words, and no folder."""
    with pytest.raises(ConfigError, match="no run has been here yet"), open_workspace(config, "amend"):
        pass
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("access", ["amend", "run"])
def test_whoever_writes_holds_the_folder(config: Config, access: Access) -> None:
    """While one run or command may write, no other begins, and readers are let in; afterwards the folder is free."""
    with open_workspace(config, "run") as workspace:
        path = workspace.ledger_path
        assert is_held(path)
        with pytest.raises(RunGivenUp, match="another flatpipe run"), open_workspace(config, access):
            pass
        with open_workspace(config, "read"):
            pass
    with open_workspace(config, access):
        assert is_held(path)
    assert not is_held(path)


def test_amending_writes_and_prepares_nothing(config: Config, tmp_path: Path) -> None:
    """What is amended is in the ledger afterwards; partial files of a run that was killed stay where they are."""
    with open_workspace(config, "run") as workspace:
        workspace.ledger.begin_run("run", "now", "{}")
    partial = tmp_path / "out" / ".partial" / "half"
    partial.parent.mkdir(exist_ok=True)
    partial.write_bytes(b"half")
    with open_workspace(config, "amend") as workspace:
        workspace.ledger.end_run("run", "later", "finished", "{}")
    with open_workspace(config, "read") as workspace:
        run = workspace.ledger.last_run()
    assert (run.state if run else "none", partial.exists()) == ("finished", True)


def test_a_ledger_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    """A change to a ledger that was opened to be read is an error for people, not one of SQLite's."""
    path = str(tmp_path / "ledger.sqlite")
    Ledger(path).close()
    ledger = Ledger(path, read_only=True)
    with pytest.raises(RunGivenUp, match="the ledger cannot be written"):
        ledger.forget(["a.png"], (2,))
    ledger.close()


PART, OTHER = RunPart(4, 1), RunPart(4, 2)


@pytest.mark.parametrize("place", ["out", "memory"])
@pytest.mark.parametrize("is_shared", [True, False], ids=["one state folder", "two state folders"])
def test_parts_exclude_whole_runs_and_not_each_other(place: str, is_shared: bool, tmp_path: Path) -> None:
    """Beside a part another may run; the same one, a whole run, and what amends one may not; nor a part beside those.

    It is so whether they share a state folder, an output folder, or a store alone; afterwards the output is free.
    """
    write_image(tmp_path / "photos" / "a.png")
    output = f"memory://{uuid.uuid4().hex}" if place == "memory" else "out"
    for name, state in (("a", "one"), ("b", "one" if is_shared else "two")):
        (tmp_path / f"{name}.yaml").write_text(
            f"input: {{path: photos}}\noutput: {{path: '{output}'}}\nexecution: {{state_path: {state}}}\n"
        )
    first, second = (load_config(tmp_path / f"{name}.yaml") for name in "ab")
    with open_workspace(second, "run"):
        _check_refused(first, "run", PART)
    with open_workspace(first, "run", part=PART):
        for access, part in (("run", PART), ("run", None), ("merge", None), ("amend", None)):
            _check_refused(second, access, part)
        with open_workspace(second, "run", part=OTHER) as beside:
            assert beside.outputs.place == str(second.output.path)
    with open_workspace(second, "run"), open_workspace(first, "read", part=PART):
        pass


def _check_refused(config: Config, access: Access, part: RunPart | None) -> None:
    with (
        pytest.raises(RunGivenUp, match="another flatpipe run is writing here"),
        open_workspace(config, access, part=part),
    ):
        pass


def test_a_run_that_is_refused_troubles_no_part(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole run of another state folder looks for parts before it leaves a lease: a part that sees one would end."""
    other = load_config(tmp_path / "pipeline.yaml", ("execution.state_path=other",))
    taken = list[object]()
    with open_workspace(config, "run", part=PART):
        monkeypatch.setattr(HeldOutput, "take", lambda held: taken.append(held))
        monkeypatch.setattr("flatpipe.plan.opening._alone_at", lambda *_: contextlib.nullcontext())
        # ^ as on another machine
        _check_refused(other, "run", None)
    assert taken == []


def test_parts_that_begin_together_find_each_other_ours(config: Config, tmp_path: Path) -> None:
    """A part takes an output in which another has just begun for ours; strange files it refuses as a whole run does."""
    with open_workspace(config, "run", part=PART), open_workspace(config, "run", part=OTHER):
        pass
    shutil.rmtree(tmp_path / "out")
    write_image(tmp_path / "out" / "images" / "mine.png")
    with (
        pytest.raises(ConfigError, match="holds files where a run would write"),
        open_workspace(config, "run", part=PART),
    ):
        pass
    assert not (tmp_path / "out" / "parts").exists()
