"""Worker processes and clusters that do not come up: a sentence within seconds, and Ctrl-C is heard meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from commands import Project
from waiting import wait_for

from flatpipe.engines.clusters.starting import started
from flatpipe.errors import ExitCode, RunGivenUp
from flatpipe.stop import StopRequest

_SCRIPT = "import flatpipe, sys\nprint('imported', flush=True)\nsys.exit(flatpipe.run('pipeline.yaml').exit_code)\n"
_IN_A_POOL = """
import multiprocessing, sys, flatpipe
def work(path):
    summary = flatpipe.run(path)
    return summary.exit_code, summary.done, summary.reason
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(pool.apply(work, ["pipeline.yaml"]))
"""
_SLOW_CLUSTER = """
import time
class Slow:
    def __init__(self):
        open("starting", "w").close()
        time.sleep(100)
"""

PROCESSES = {"scheduler": "processes", "workers": 2}
LOCAL_CLUSTER = {"cluster": {"class": "distributed.LocalCluster", "scale": 2}}


def script(project: Project, text: str) -> subprocess.CompletedProcess[str]:
    """What a program in the project's folder printed and returned."""
    (project.folder / "program.py").write_text(text)
    command = [sys.executable, "program.py"]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False, timeout=120)


def test_a_program_without_a_guard_just_works(tmp_path: Path) -> None:
    """flatpipe.run at the top of a script, 64 images, worker processes: all done, and the script ran once."""
    project = Project.make(tmp_path, images=64, execution=PROCESSES, flatten={"k": 2}, report={"enabled": False})
    done = script(project, _SCRIPT)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "imported\n"
    assert len(list((project.out / "images").rglob("sweep.gif"))) == 64


@pytest.mark.parametrize(
    ("scheduler", "wanted"), [("auto", "(0, 2, '')"), ("processes", "(3, 0, 'worker processes cannot")]
)
def test_a_worker_of_a_pool_starts_no_processes(scheduler: str, wanted: str, tmp_path: Path) -> None:
    """Within multiprocessing.Pool auto takes threads, however much there is to do; processes is a sentence."""
    project = Project.make(tmp_path, images=2, execution={"scheduler": scheduler, "workers": 2})
    text = _IN_A_POOL
    if scheduler == "auto":
        text = "import flatpipe.plan.backend as backend\nbackend._START_SECONDS = -1e9\n" + text
        # ^ so that processes would be chosen for two images
    done = script(project, text)

    assert wanted in done.stdout, done.stdout + done.stderr


_HURT = {
    "no shared memory": ("mount -t tmpfs -o ro none /dev/shm", "/dev/shm cannot be written to"),
    "no loopback": ("true", "this machine cannot reach itself at 127.0.0.1"),
}


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="wants root and unshare")
@pytest.mark.parametrize(("command", "words"), _HURT.values(), ids=_HURT)
@pytest.mark.parametrize("execution", [PROCESSES, LOCAL_CLUSTER], ids=["processes", "LocalCluster"])
def test_a_machine_that_cannot_start_workers_says_so(
    execution: dict[str, object], command: str, words: str, tmp_path: Path
) -> None:
    """Without a writable /dev/shm, or without loopback: exit 3 within seconds, one sentence, no traceback."""
    project = Project.make(tmp_path, images=2, execution=execution)
    options = ["--mount", *(["--net"] if command == "true" else [])]
    inner = f"{command} && exec {sys.executable} -m flatpipe run"
    began = time.monotonic()
    done = subprocess.run(
        ["unshare", *options, "sh", "-c", inner],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 3, done.stdout + done.stderr
    assert words in done.stdout
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 100


@pytest.mark.parametrize("execution", [PROCESSES, LOCAL_CLUSTER], ids=["processes", "LocalCluster"])
def test_workers_that_all_die_as_they_start_end_the_run(
    execution: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every worker process ends at once: the run is given up with a sentence, instead of waiting in silence."""
    project = Project.make(tmp_path / "p", images=2, execution=execution)
    faults = tmp_path / "faults"
    faults.mkdir()
    (faults / "sitecustomize.py").write_text(
        "import sys, os\nif any('forkserver' in word for word in sys.orig_argv):\n"
        "    import distributed.nanny as nanny\n    nanny.WorkerProcess._run = lambda *a, **k: os._exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(faults), os.environ.get("PYTHONPATH", "")]))
    done = project.flatpipe("run")

    assert done.returncode == 3, done.stdout + done.stderr
    assert "no worker process comes up: each ends as it starts" in done.stdout
    assert "Traceback" not in done.stderr


def test_two_interrupts_while_processes_start_are_heard(tmp_path: Path) -> None:
    """Two Ctrl-C as soon as the run says what it runs on: exit 130 within seconds, no traceback."""
    project = Project.make(tmp_path, images=2, execution=PROCESSES)
    run = project.start("run")
    assert run.stderr is not None
    for line in run.stderr:
        if "running on" in line:
            break
    for _ in range(2):
        os.killpg(run.pid, signal.SIGINT)
        time.sleep(0.3)
    out, err = run.communicate(timeout=30)

    assert run.returncode in (ExitCode.INTERRUPTED, -signal.SIGINT), out + err
    # ^ the second may find a run that has ended already
    assert "Traceback" not in err


@pytest.mark.parametrize(("timeout", "interrupts", "code"), [(60, 1, 130), (1, 0, 3)], ids=["Ctrl-C", "timeout"])
def test_a_class_that_takes_long_to_start_can_be_left(
    timeout: int, interrupts: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a cluster class starts, one Ctrl-C ends the run, and so does wait_for.timeout."""
    cluster = {"class": "slow.Slow", "allow_any_class": True, "wait_for": {"timeout": timeout}}
    project = Project.make(tmp_path, images=1, execution={"cluster": cluster})
    (project.folder / "slow.py").write_text(_SLOW_CLUSTER)
    run = project.start("run")
    wait_for(lambda: run.poll() is not None or (project.folder / "starting").exists())
    for _ in range(interrupts):
        run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=30)

    assert run.returncode == code, out + err
    assert "Traceback" not in err


@pytest.mark.parametrize(("timeout", "interrupts", "code"), [(60, 1, 130), (1, 0, 3)], ids=["Ctrl-C", "timeout"])
def test_a_scheduler_that_says_nothing_can_be_left(timeout: int, interrupts: int, code: int, tmp_path: Path) -> None:
    """While something at the scheduler's address takes the connection and is mute, the same two end the run."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        cluster = {"address": address, "wait_for": {"timeout": timeout}}
        project = Project.make(tmp_path, images=1, execution={"cluster": cluster})
        run = project.start("run")
        connection, _ = mute.accept()
        for _ in range(interrupts):
            run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        connection.close()

    assert run.returncode == code, out + err
    assert f"for a Dask scheduler at {address} to answer" in out
    assert "Traceback" not in err


def test_what_comes_too_late_is_taken_back() -> None:
    """A start that is left alone is undone as soon as it is through; what it raises reaches whoever waits."""
    undone: list[str] = []
    go = threading.Event()

    def slow() -> str:
        go.wait(10)
        return "cluster"

    with pytest.raises(RunGivenUp, match="waited 0 s in vain for it to start"):
        started("it", slow, undone.append, StopRequest(), 0.05)
    assert undone == []
    go.set()
    wait_for(lambda: undone == ["cluster"], seconds=5)
    with pytest.raises(RunGivenUp, match="stopped while it was starting"):
        started("it", lambda: time.sleep(1), print, StopRequest(ExitCode.INTERRUPTED), 10)
    with pytest.raises(ZeroDivisionError):
        started("it", lambda: 1 / 0, print, StopRequest(), 10)
