"""Compiling in child processes: in sight, stoppable, once for each machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from commands import Project
from waiting import wait_for

from flatpipe.engines import compiling
from flatpipe.engines.compiling import compile_kernels
from flatpipe.errors import ExitCode, RunGivenUp
from flatpipe.stop import StopRequest
from flatpipe.work.kernels import PARTS, Keeping, missing_parts

MISSING = "from flatpipe.work.kernels import missing_parts; print(len(missing_parts()))"


def test_a_stop_ends_compiling_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while kernels are compiled: exit 130 before they are through, and nothing is left running."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    project = Project.make(tmp_path / "p", images=2)
    run = project.start("run")
    assert run.stderr is not None
    line = next(line for line in run.stderr if "compiling" in line)
    wait_for(lambda: bool(psutil.Process(run.pid).children(recursive=True)))
    # ^ the line comes before the processes that it tells of
    children = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)

    assert f"0 of {len(PARTS)}" in line
    assert run.returncode == ExitCode.INTERRUPTED, err
    assert children
    wait_for(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children))
    missing = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True).stdout
    assert int(missing) > 0


def test_progress_counts_up_to_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part is told of once, the last one last; nothing is told when nothing is missing."""
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(compiling, "missing_parts", lambda: ["lzw", "dithering", "iteration"])
    compile_kernels(lambda done, total: told.append((done, total)), StopRequest())
    monkeypatch.setattr(compiling, "missing_parts", list)
    compile_kernels(lambda done, total: told.append((done, total)), StopRequest())

    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("missing", "kept", "notes", "parts"),
    [
        (["lzw"], Keeping(True, ""), [], 1),
        (["lzw"], Keeping(True, "for a while"), ["for a while"], 1),
        (["lzw"], Keeping(False, "nowhere"), ["nowhere"], 0),
        ([], Keeping(True, "for a while"), [], 0),
    ],
    ids=["for good", "for a while", "nowhere", "all there"],
)
def test_what_cannot_be_kept_for_good_is_said_when_it_is_compiled(
    missing: list[str], kept: Keeping, notes: list[str], parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user learns why there is compiling again: once, and not in runs that find all of it."""
    noted: list[str] = []
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(compiling, "missing_parts", lambda: missing)
    monkeypatch.setattr(compiling, "keeping", lambda: kept)
    compile_kernels(lambda done, total: told.append((done, total)), StopRequest(), noted.append)

    assert noted == notes
    assert told == [(done, parts) for done in range(parts + 1)][: 2 * parts]


def test_a_stop_that_came_before_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was stopped before compiling begins compiles nothing."""
    monkeypatch.setattr(compiling, "missing_parts", lambda: ["search", "filtering"])
    with pytest.raises(RunGivenUp, match="stopped while kernels were compiled"):
        compile_kernels(lambda done, total: None, StopRequest(ExitCode.INTERRUPTED))


def test_once_compiled_nothing_is_missing() -> None:
    """The parts that this very test run has compiled are noted."""
    compile_kernels(lambda done, total: None, StopRequest())

    assert missing_parts() == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to another user")
def test_a_lock_of_another_user_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes the lock's file first, open to all, and holds it, does not keep this user's workers waiting."""
    monkeypatch.setattr(compiling.tempfile, "gettempdir", lambda: str(tmp_path))
    theirs = tmp_path / f"flatpipe-compiling-{os.getuid()}.lock"
    theirs.touch(0o666)
    os.chown(theirs, 12345, 12345)
    waited: list[int] = []
    monkeypatch.setattr(compiling.fcntl, "flock", lambda lock, _kind: waited.append(lock))
    with compiling._alone():
        pass

    assert waited == []
