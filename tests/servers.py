"""Servers on 127.0.0.1 as processes of their own, each bounded in time and ended with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from commands import FAULTS, Project

SECONDS = 150
# ^ the longest life of a server, whatever becomes of the test
_HERE = Path(__file__).parent


@dataclass
class Servers:
    """Processes under way; leaving the context ends them and their process groups."""

    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.running):
            end(process)

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, with variables added to the environment, without a word."""
        process = subprocess.Popen(
            ["timeout", "--foreground", "--kill-after=5", str(SECONDS), *command],
            cwd="/",
            # ^ so that Python finds the flatpipe that is installed, not one that lies here
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.running.append(process)
        return process

    def dask_scheduler(self, folder: Path, *more: str) -> tuple[subprocess.Popen[str], Path]:
        """A scheduler started by hand, and the file with its address."""
        file = folder / "scheduler.json"
        options = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        process = self.dask("scheduler", *options, *more, "--scheduler-file", str(file))
        wait_for(file.exists)
        return process, file

    def dask_workers(self, file: Path, count: int = 2, *more: str, **environment: str) -> subprocess.Popen[str]:
        """Worker processes of one thread each, started by hand."""
        options = (
            "--host",
            "127.0.0.1",
            "--nworkers",
            str(count),
            "--nthreads",
            "1",
            "--dashboard-address",
            "127.0.0.1:0",
        )
        folder = ("--local-directory", str(file.parent / "scratch"))
        return self.dask("worker", "--scheduler-file", str(file), *options, *more, *folder, **environment)

    def dask(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`dask ARGUMENTS`."""
        return self.start(sys.executable, "-m", "dask", *arguments, **environment)


def end(process: subprocess.Popen[str]) -> None:
    """Ask a process to end, which lets it end its own children in order; then end what is left of its group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=5)


def address_in(file: Path) -> str:
    """The address that a scheduler wrote into its file."""
    return str(json.loads(file.read_text())["address"])


def slow(seconds: float) -> dict[str, str]:
    """Environment of a worker that takes this long over each decoding."""
    return {"FLATPIPE_TEST_FAULTS": json.dumps({"slow": seconds}), "PYTHONPATH": python_path(FAULTS)}


def python_path(folder: Path) -> str:
    """PYTHONPATH with a folder before all others."""
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Return as soon as condition() holds."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.02)


@contextlib.contextmanager
def every(seconds: float, action: Callable[[], object], process: subprocess.Popen[str]) -> Iterator[None]:
    """While in the context, and while the process lives, do something again and again (in this thread's stead)."""
    import threading

    over = threading.Event()

    def repeat() -> None:
        while not over.wait(seconds) and process.poll() is None:
            action()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if process.poll() is None:
            end(process)


def expected(folder: Path, images: int, **sections: object) -> dict[str, str]:
    """Digests of an undisturbed run of threads over the same images."""
    project = Project.make(folder, images=images, **sections)
    done = project.flatpipe("run")
    assert done.returncode == 0, done.stderr
    return project.digests()


def worker_processes(pid: int) -> list[psutil.Process]:
    """The workers that a run's fork server has forked, the oldest first."""
    servers = [child for child in psutil.Process(pid).children() if "forkserver" in " ".join(child.cmdline())]
    workers = [worker for server in servers for worker in server.children()]
    return sorted(workers, key=psutil.Process.create_time)
