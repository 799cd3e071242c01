"""A first run writes over nothing that another has put into the output folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import write_image
from commands import Project

from flatpipe.config import Config, load_config
from flatpipe.errors import ConfigError
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.workspace import open_workspace

THEIRS = (
    *("index.html", "results.csv", "failures.csv", "colors.csv", "run.json", "flatpipe.lock", ".tables"),
    *("images/a.png/k02.png", "images/cat.jpg", "gallery/data/rows-00000.js", "gallery/mine.js", "runs/1/log.txt"),
    *(".partial/flatpipe-0123456789abcdef0123456789abcdef", ".partial/draft.txt"),
)


def config_in(folder: Path, **output: object) -> Config:
    """The config of a folder with one image, in which nothing has run yet."""
    write_image(folder / "photos" / "a.png")
    state = "execution: {state_path: state}\n" if output.get("state") else ""
    (folder / "pipeline.yaml").write_text(f"input: {{path: photos}}\noutput: {{path: out}}\n{state}")
    return load_config(folder / "pipeline.yaml")


@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("name", THEIRS)
def test_files_of_another_are_named_and_stay(name: str, state: bool, tmp_path: Path) -> None:
    """Each name that a run would write, found without a ledger of ours, refuses the run, again and again, untouched."""
    config = config_in(tmp_path, state=state)
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"mine")
    for _ in range(2):
        with pytest.raises(ConfigError, match=f"no ledger of an earlier run: .*{name}"), open_workspace(config, "run"):
            pass
    assert [found for found in (tmp_path / "out").rglob("*") if found.is_file()] == [path]
    assert path.read_bytes() == b"mine"


def test_what_no_run_writes_is_no_reason(tmp_path: Path) -> None:
    """Files under other names, and empty folders such as a fresh disk has, do not stand in a run's way."""
    config = config_in(tmp_path)
    (tmp_path / "out" / "images" / "lost+found").mkdir(parents=True)
    (tmp_path / "out" / ".partial").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with open_workspace(config, "run"):
        assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_ledger_of_another_output_claims_nothing(tmp_path: Path) -> None:
    """A ledger that is kept elsewhere speaks for the output that it was written for, a killed run's included."""
    config = config_in(tmp_path, state=True)
    (tmp_path / "state").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("mine")
    for number, (place, claims) in enumerate([(tmp_path / "elsewhere", False), (tmp_path / "out", True)]):
        ledger = Ledger(str(tmp_path / "state" / "ledger.sqlite"))
        ledger.begin_run(str(number), f"2026-11-26T00:00:0{number}", f'{{"output": {{"path": "{place}"}}}}')
        ledger.close()
        try:
            with open_workspace(config, "run"):
                assert claims
        except ConfigError:
            assert not claims


def test_outputs_of_ours_go_on_without_their_ledger(tmp_path: Path) -> None:
    """What a run has completed is ours when its ledger is removed too, and what others put there since stays."""
    project = Project.make(tmp_path, images=1)
    assert project.flatpipe("run").returncode == 0
    (project.out / "gallery" / "data" / "theirs.js").write_text("mine")
    (project.out / "ledger.sqlite").unlink()
    again = project.flatpipe("run")

    assert again.returncode == 0, again.stderr
    assert (project.out / "gallery" / "data" / "theirs.js").read_text() == "mine"
    (project.out / "ledger.sqlite").unlink()
    (project.out / "run.json").unlink()
    refused = project.flatpipe("run")
    assert refused.returncode == 2
    assert "index.html" in refused.stderr
