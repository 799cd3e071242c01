"""A scheduler and workers that somebody else started: used, checked, and left as they were."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from commands import Project
from servers import Servers, address_in, expected, python_path, slow, wait_for

import flatpipe
from flatpipe.config import load_config
from flatpipe.engines.open import open_engine
from flatpipe.engines.opening import Opening
from flatpipe.observer import RunObserver
from flatpipe.plan.backend import choose_backend
from flatpipe.plan.settings import task_settings
from flatpipe.stop import StopRequest


def test_a_running_scheduler_is_used_and_left_running(servers: Servers, tmp_path: Path) -> None:
    """By address and by scheduler file: the bytes of a threads run; both runs find the same two workers."""
    scheduler, file = servers.dask_scheduler(tmp_path)
    servers.dask_workers(file)
    wanted = expected(tmp_path / "threads", 6)
    wait = {"workers": 2, "timeout": "60s"}
    for n, place in enumerate(({"address": address_in(file)}, {"scheduler_file": str(file)})):
        project = Project.make(tmp_path / str(n), images=6, execution={"cluster": {**place, "wait_for": wait}})
        done = project.flatpipe("run")

        assert done.returncode == 0, done.stdout + done.stderr
        assert project.digests() == wanted
        assert "2 workers with 2 threads" in done.stderr
        assert "Dask dashboard: http://127.0.0.1" in done.stderr
        assert list((project.out / "images").parent.glob(".partial")) == []
    assert scheduler.poll() is None


def test_as_many_threads_count_as_are_there(servers: Servers, tmp_path: Path) -> None:
    """Nobody says how large a running cluster is: from the first task on it is as large as it is found."""
    _, file = servers.dask_scheduler(tmp_path)
    servers.dask_workers(file)
    execution = {"cluster": {"scheduler_file": str(file), "wait_for": {"workers": 2, "timeout": "60s"}}}
    project = Project.make(tmp_path / "p", images=1, execution=execution)
    config = load_config(project.folder / "pipeline.yaml")
    opening = Opening(config, task_settings(config), (), RunObserver(), StopRequest())
    with open_engine(choose_backend(config, 1.0, 1), opening) as engine:
        assert engine.workers == 2


def test_a_killed_scheduler_never_looks_like_success(servers: Servers, tmp_path: Path) -> None:
    """kill -9 of the scheduler: exit 3 within seconds, with what to do; a rerun does only the rest, equal bytes."""
    scheduler, file = servers.dask_scheduler(tmp_path)
    servers.dask_workers(file, **slow(0.15))
    execution = {"granularity": "image", "cluster": {"scheduler_file": str(file)}}
    project = Project.make(tmp_path / "p", images=24, execution=execution)
    run = project.start("run")
    wait_for(lambda: len(list((project.out / "images").rglob("sweep.gif"))) > 3)
    os.killpg(scheduler.pid, signal.SIGKILL)
    out, err = run.communicate(timeout=30)

    assert run.returncode == 3, err
    assert "run again to resume" in out
    assert "Traceback" not in err
    again = project.flatpipe("run", "-s", "execution.cluster=null")
    assert again.returncode == 0, again.stderr
    assert not again.stdout.startswith("24 done")
    assert project.digests() == expected(tmp_path / "threads", 24)


def test_what_is_missing_is_told_before_the_first_image(servers: Servers, tmp_path: Path) -> None:
    """No scheduler, no worker, a worker with other code: exit 3, one sentence each that says what to do, no output."""
    scheduler, file = servers.dask_scheduler(tmp_path)
    project = Project.make(tmp_path / "p", images=1)

    def refusal(cluster: dict[str, object]) -> str:
        project.configure(execution={"cluster": cluster})
        done = project.flatpipe("run")
        assert done.returncode == 3, done.stderr
        assert "Traceback" not in done.stderr
        assert project.digests() == {}
        return done.stdout

    nobody = refusal({"address": "tcp://127.0.0.1:9", "wait_for": {"timeout": "1s"}})
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in nobody
    idle = refusal({"scheduler_file": str(file), "wait_for": {"timeout": "1s"}})
    assert "waited 1 s in vain for 1 worker: 0 came" in idle

    shutil.copytree(Path(flatpipe.__file__).parent, tmp_path / "other" / "flatpipe")
    with (tmp_path / "other" / "flatpipe" / "versions.py").open("a") as code:
        code.write("CLUSTERING = 2\n")
    servers.dask_workers(file, 1, PYTHONPATH=python_path(tmp_path / "other"))
    other = refusal({"scheduler_file": str(file), "wait_for": {"timeout": "60s"}})
    assert "has other software than this driver: flatpipe's code" in other
    assert scheduler.poll() is None
