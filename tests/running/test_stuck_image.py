"""An image that keeps its decoder for ever: it is one row, others go on, and Ctrl-C ends the run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest
from commands import Project, environment
from file_builders import scan_bomb
from waiting import wait_for

from flatpipe.config import load_config
from flatpipe.errors import ExitCode
from flatpipe.ledger import ledger
from flatpipe.ledger.recording import store_records
from flatpipe.pipeline import run
from flatpipe.plan.workspace import open_workspace
from flatpipe.proof.outputs import recorded_images
from flatpipe.proof.verify import Verified, verify

SECONDS = 2
# ^ that an image may take: a small one is decoded in some milliseconds, even where the machine is busy
PATIENCE = 80
# ^ seconds within which a run must end whose stuck image would take several times as long
OTHERS = ["00.png", "01.png", "02.png"]
API = """
import sys, flatpipe
print("decoding", flush=True)
flatpipe.flatten(sys.argv[1], 3)
"""


def with_bomb(folder: Path, scheduler: str, **limits: object) -> Project:
    """Three small images, and one whose decoder is busy for minutes."""
    project = Project.make(folder, images=4, limits=limits, execution={"scheduler": scheduler, "workers": 2})
    (project.folder / "photos" / "03.png").unlink()
    (project.folder / "photos" / "bomb.jpg").write_bytes(scan_bomb(6144, 100_000))
    return project


def images_done(project: Project) -> list[str]:
    """The images of results.csv."""
    return sorted({row["image"] for row in project.rows("results.csv")})


def decoders(of: int) -> list[psutil.Process]:
    """The processes that decode for a process, and for those that it has started."""
    found = []
    for child in psutil.Process(of).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            # ^ it may end while it is asked
            found += [child] if "flatpipe.decode.apart.child" in child.cmdline() else []
    return found


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("scheduler", "command"),
    [
        ("threads", ("run",)),
        ("processes", ("run",)),
        ("synchronous", ("flatten", *(f"photos/{name}" for name in (*OTHERS, "bomb.jpg")), "-k", "2-4", "-o", "out")),
    ],
    ids=["threads", "processes", "flatten"],
)
def test_a_bomb_is_a_row_timeout(scheduler: str, command: tuple[str, ...], tmp_path: Path) -> None:
    """A JPEG of 6 MB whose decoder would be busy for minutes is ended when its time is up; the others are done."""
    project = with_bomb(tmp_path, scheduler, seconds_per_image=SECONDS)
    keys = ("-s", f"limits.seconds_per_image={SECONDS}", "-s", f"execution.scheduler={scheduler}")
    run = project.start(*command, *keys)
    wait_for(lambda: run.poll() is not None or bool(decoders(run.pid)))
    children = decoders(run.pid)
    _, err = run.communicate(timeout=PATIENCE)

    assert run.returncode == ExitCode.SOME_FAILED, err
    assert [(row["image"], row["error"]) for row in project.rows("failures.csv")] == [("bomb.jpg", "timeout")]
    assert f"longer than limits.seconds_per_image ({SECONDS} s)" in project.rows("failures.csv")[0]["message"]
    assert images_done(project) == OTHERS
    assert len(children) == 1
    wait_for(lambda: is_gone(children[0]))


@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_what_nobody_foresaw_is_a_row_timeout_too(scheduler: str, tmp_path: Path) -> None:
    """A reader or decoder that never comes back is left when its time is up; the others are done, and the run ends."""
    limits = {"seconds_per_image": SECONDS}
    project = Project.make(tmp_path, images=4, limits=limits, execution={"scheduler": scheduler, "workers": 2})
    run = project.start("run", faults={"stuck": ["03.png"]})
    _, err = run.communicate(timeout=PATIENCE)

    assert run.returncode == ExitCode.SOME_FAILED, err
    assert [(row["image"], row["error"]) for row in project.rows("failures.csv")] == [("03.png", "timeout")]
    assert images_done(project) == OTHERS


@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_one_interrupt_leaves_a_stuck_image(scheduler: str, tmp_path: Path) -> None:
    """Ctrl-C while an image is decoded for minutes ends the run, which names it."""
    project = with_bomb(tmp_path, scheduler)
    run = project.start("run")
    wait_for(lambda: bool(decoders(run.pid)) and len(list((project.out / "images").rglob("sweep.gif"))) == len(OTHERS))
    (child,) = decoders(run.pid)
    wait_for(lambda: child.cpu_times().user > 1.5)
    # ^ only then it is worth a mention
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE)

    assert run.returncode == ExitCode.INTERRUPTED, err
    assert "stopped in the midst of bomb.jpg; run again to go on" in out
    assert "3 done" in out
    assert "Traceback" not in err
    wait_for(lambda: is_gone(child))


@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_two_interrupts_end_a_run_at_once(scheduler: str, tmp_path: Path) -> None:
    """What cannot be left at the first Ctrl-C, a k at work, is left at the second, and named; the next run goes on."""
    project = Project.make(tmp_path, images=2, execution={"scheduler": scheduler, "workers": 2})
    log = tmp_path / "log"
    run = project.start("run", "--only", "01.png", faults={"stuck_k": 3, "log": str(log)})
    assert run.stderr is not None
    wait_for(lambda: log.exists() and "stuck\n" in log.read_text())
    os.killpg(run.pid, signal.SIGINT)
    for line in run.stderr:
        if "again to stop at once" in line:
            break
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE)

    assert run.returncode == ExitCode.INTERRUPTED, err
    assert "stopped in the midst of 01.png; run again to go on" in out
    assert "report:" not in out
    assert "Traceback" not in err
    if scheduler == "threads":
        again = project.flatpipe("run")
        assert again.returncode == 0, again.stderr
        assert images_done(project) == ["00.png", "01.png"]
        assert project.flatpipe("verify").returncode == 0


@pytest.mark.parametrize("statement", range(7))
def test_an_interrupt_in_the_midst_of_recording_loses_nothing(
    statement: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever statement a KeyboardInterrupt falls on while images are recorded, the next run makes all of it true."""
    project = Project.make(tmp_path, images=2, flatten={"k": "2-3"}, report={"enabled": False})
    config = load_config(project.folder / "pipeline.yaml")
    left = [statement]

    class Interrupting:
        def __init__(self, database: object) -> None:
            self._database = database

        def __getattr__(self, name: str) -> object:
            if name in ("execute", "executemany"):
                left[0] -= 1
                if left[0] == -1:
                    raise KeyboardInterrupt
            return getattr(self._database, name)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "store_records", lambda database, *rest: store_records(Interrupting(database), *rest))
        stopped = run(config)
    again = run(config)

    assert stopped.exit_code == ExitCode.INTERRUPTED
    assert (again.exit_code, again.reason) == (ExitCode.DONE, "")
    assert sorted((row["image"], row["k"]) for row in project.rows("results.csv")) == [
        (name, k) for name in OTHERS[:2] for k in ("2", "3")
    ]
    with open_workspace(config, "read") as workspace:
        recorded = partial(recorded_images, workspace.ledger, workspace.results, workspace.config)
        assert list(verify(recorded(), workspace.outputs, Verified(), 1, inputs=None)) == []


def test_a_program_hears_its_interrupt(tmp_path: Path) -> None:
    """flatpipe.flatten of such a file in a program raises KeyboardInterrupt, and leaves no process behind."""
    bomb = tmp_path / "bomb.jpg"
    bomb.write_bytes(scan_bomb(6144, 100_000))
    command = [sys.executable, "-c", API, str(bomb)]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment(None))
    wait_for(lambda: bool(decoders(program.pid)))
    (child,) = decoders(program.pid)
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=PATIENCE)

    assert "KeyboardInterrupt" in err
    wait_for(lambda: is_gone(child))
