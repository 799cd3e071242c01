"""flatpipe verify: what it finds, what it notes, and what the next run makes of that."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Project
from waiting import wait_for

from flatpipe.config import load_config
from flatpipe.errors import RunGivenUp
from flatpipe.plan.holding import only_run
from flatpipe.plan.workspace import Workspace, open_workspace
from flatpipe.proof import recompute as recomputing
from flatpipe.proof.outputs import RecordedImage, recorded_images
from flatpipe.proof.recompute import recompute, sample
from flatpipe.proof.verify import Verified
from flatpipe.stop import is_work_left


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four images, done; tests copy it."""
    project = Project.make(tmp_path_factory.mktemp("finished"), images=4, report={"stills": True})
    assert project.flatpipe("run").returncode == 0
    return project


def test_one_flipped_byte_is_named_and_repaired(project: Project) -> None:
    """Flip a byte, same size: verify names the file with exit 4, run makes it again, verify finds nothing."""
    assert (
        project.flatpipe("verify").stdout
        == "verified 40 outputs of 4 images and 4 inputs, 46 files beside them: no differences\n"
    )
    before = project.digests()
    _flip(project.out / "images/01.png/k03.png")
    assert "nothing to do" in project.flatpipe("run").stdout
    verified = project.flatpipe("verify")
    repaired = project.flatpipe("run", "-v")

    assert verified.returncode == 4
    assert verified.stdout.splitlines()[0] == "changed: images/01.png/k03.png"
    assert "`flatpipe run` makes these outputs again" in verified.stderr
    assert "4 images: 1 done, 3 up to date" in repaired.stdout
    assert "1 flat image in" in repaired.stdout
    assert project.digests() == before
    assert project.flatpipe("verify").returncode == 0


def test_every_kind_of_file_and_the_inputs_are_checked(project: Project) -> None:
    """A changed animation, still and thumbnail, a missing palette file and a changed input are each named."""
    out = project.out
    for name in ("images/00.png/sweep.gif", "images/01.png/contact_sheet.png"):
        _flip(out / name)
    thumbnail = sorted((out / "gallery/pictures").rglob("*-flat.jpg"))[0]
    _flip(thumbnail)
    (out / "images/02.png/palettes.json").unlink()
    shutil.copy(project.folder / "photos/01.png", project.folder / "photos/03.png")
    lines = [json.loads(line) for line in project.flatpipe("verify", "--json").stdout.splitlines()]

    assert lines[-1]["event"] == "verify"
    assert lines[-1]["differences"] == 5
    assert {(line["kind"], line["name"]) for line in lines[:-1]} == {
        ("changed", "images/00.png/sweep.gif"),
        ("changed", "images/01.png/contact_sheet.png"),
        ("changed", str(thumbnail.relative_to(out))),
        ("missing", "images/02.png/palettes.json"),
        ("input changed", str(project.folder / "photos/03.png")),
    }


def test_verify_writes_nothing_when_all_is_right(project: Project) -> None:
    """The ledger of a sound output stays untouched; images whose settings have changed are not called verified."""
    before = (project.out / "ledger.sqlite").read_bytes()
    sound, moved = project.flatpipe("verify"), project.flatpipe("verify", "-s", "flatten.seed=1")

    assert sound.stdout == "verified 40 outputs of 4 images and 4 inputs, 46 files beside them: no differences\n"
    assert moved.returncode == 0
    assert moved.stdout.startswith(
        "verified 0 outputs of 4 images and 4 inputs, 46 files beside them: no differences\n4 images are not"
    )
    assert (project.out / "ledger.sqlite").read_bytes() == before


def test_a_ledger_that_cannot_be_written_is_told(project: Project) -> None:
    """When a difference cannot be noted, verify says so, with what that means, and still ends with exit 4."""
    _flip(project.out / "images/01.png/k03.png")
    with sqlite3.connect(project.out / "ledger.sqlite") as ledger:
        for change in ("INSERT", "UPDATE", "DELETE"):
            ledger.execute(f"CREATE TRIGGER no_{change} BEFORE {change} ON flats BEGIN SELECT RAISE(FAIL, 'full'); END")
    ledger.close()
    verified = project.flatpipe("verify")

    assert verified.returncode == 4
    assert "changed: images/01.png/k03.png" in verified.stdout
    assert "the ledger cannot be written: full; `flatpipe run` will not see what was changed" in verified.stderr
    assert "makes these outputs again" not in verified.stderr


def test_a_recomputed_sample_agrees_until_the_recorded_bytes_are_others(project: Project) -> None:
    """The sample is the same each time; its bytes come out as recorded, and a run's other result would be told."""
    with open_workspace(load_config(project.folder / "pipeline.yaml"), "read") as workspace:
        images = sample(_recorded(workspace), 2, 7, ())
        counts = Verified()
        assert sample(_recorded(workspace), 2, 7, ()) == images
        assert sample(_recorded(workspace), 2, 8, ()) != images
        drawn = {image.source.image_id for image in images}
        others = sample(_recorded(workspace), 4, 7, drawn)
        assert {image.source.image_id for image in others} == {f"{n:02d}.png" for n in range(4)} - drawn
        assert list(recompute(images, workspace.settings_for, counts, 2)) == []
        assert counts.recomputed == 2
    content = (project.folder / "photos" / others[0].source.image_id).read_bytes()
    (project.folder / "photos" / images[0].source.image_id).write_bytes(content)
    with open_workspace(load_config(project.folder / "pipeline.yaml"), "read") as workspace:
        found = list(recompute(images[:1], workspace.settings_for, Verified(), 1))
    assert [difference.kind for difference in found] == ["recomputed otherwise"] * 10
    assert {difference.image_id for difference in found} == {images[0].source.image_id}


def test_an_image_that_cannot_be_recomputed_is_told_with_its_reason(project: Project) -> None:
    """An input that is no image any more is one difference that says why, not one per output."""
    with open_workspace(load_config(project.folder / "pipeline.yaml"), "read") as workspace:
        images, counts = sample(_recorded(workspace), 1, 7, ()), Verified()
        (project.folder / "photos" / images[0].source.image_id).write_text("no image")
        (found,) = recompute(images, workspace.settings_for, counts, 1)
    assert (found.kind, found.name, counts.recomputed) == ("not recomputed", images[0].source.path, 0)
    assert "image" in found.detail


@contextlib.contextmanager
def _usual_interrupt() -> Iterator[None]:
    """Python's own answer to SIGINT: dask_jobqueue, which other tests import, puts one in its place."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_no_image_that_is_recomputed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """KeyboardInterrupt while an image is recomputed comes through, though its thread goes on."""
    go = threading.Event()

    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        go.wait(200)

    monkeypatch.setattr(recomputing, "done_in_memory", interrupted)
    with (
        _usual_interrupt(),
        open_workspace(load_config(project.folder / "pipeline.yaml"), "read") as workspace,
        pytest.raises(KeyboardInterrupt),
    ):
        list(recompute(sample(_recorded(workspace), 1, 7, ()), workspace.settings_for, Verified(), 1))
    assert is_work_left()
    go.set()
    wait_for(lambda: not is_work_left())


def test_recompute_from_the_command_line(project: Project) -> None:
    """--recompute counts what it did, and leaves the output as it was."""
    before = project.digests()
    done = project.flatpipe("verify", "--recompute", "2", "--outputs-only")

    assert (done.returncode, done.stdout) == (
        0,
        "verified 40 outputs of 4 images, 46 files beside them, 2 images recomputed: no differences\n",
    )
    assert project.digests() == before


def test_a_refused_run_leaves_the_partial_files_of_the_other(project: Project) -> None:
    """Whoever finds the output in use touches nothing there: what is half written belongs to the run under way."""
    partial = project.out / ".partial" / "half"
    partial.parent.mkdir()
    partial.write_bytes(b"half")
    with (
        only_run(str(project.out / "ledger.sqlite")),
        pytest.raises(RunGivenUp, match="another flatpipe run"),
        open_workspace(load_config(project.folder / "pipeline.yaml"), "run"),
    ):
        pass
    assert partial.exists()


def _recorded(workspace: Workspace) -> Iterator[RecordedImage]:
    return recorded_images(workspace.ledger, workspace.results, workspace.config)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
