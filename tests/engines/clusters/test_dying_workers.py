"""Workers that are killed again and again, on a cluster that the config starts."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace

import dask
import psutil
import pytest
from commands import Project
from distributed.core import Status
from servers import every, expected, worker_processes

from flatpipe.engines.clusters import replacement
from flatpipe.engines.clusters.replacement import LOST_WORKER_TIMEOUT, Replacement


def test_workers_that_are_killed_again_and_again_cost_nothing(tmp_path: Path) -> None:
    """A worker is killed at every fourth image: all are done, none is blamed, with the bytes of an undisturbed run."""
    cluster = {"class": "distributed.LocalCluster", "scale": 2, "wait_for": {"workers": 2, "timeout": "60s"}}
    project = Project.make(tmp_path / "p", images=20, execution={"cluster": cluster, "granularity": "pair"})
    run = project.start("run", faults={"slow": 0.2})
    killed: list[int] = []

    def kill_the_oldest() -> None:
        begun = len(list((project.out / "images").rglob("k02.png")))
        if begun < 4 * (len(killed) + 1) or begun > 16:
            return
        with contextlib.suppress(psutil.Error, IndexError):
            victim = worker_processes(run.pid)[0]
            victim.kill()
            killed.append(victim.pid)

    with every(0.05, kill_the_oldest, run):
        out, err = run.communicate(timeout=120)

    assert run.returncode == 0, out + err
    assert len(killed) >= 2
    assert "20 images done" in out
    assert project.digests() == expected(tmp_path / "threads", 20)
    assert not (project.out / ".partial").exists()


def test_workers_that_die_as_they_start_are_replaced(tmp_path: Path) -> None:
    """The first worker processes are killed before they are ready; the run gets others and ends well."""
    project = Project.make(tmp_path / "p", images=2, execution={"scheduler": "processes", "workers": 2})
    run = project.start("run")
    killed: set[int] = set()

    def kill_the_young() -> None:
        with contextlib.suppress(psutil.Error):
            for child in worker_processes(run.pid):
                if len(killed) < 2:
                    child.kill()
                    killed.add(child.pid)

    with every(0.02, kill_the_young, run):
        out, err = run.communicate(timeout=150)

    assert len(killed) == 2
    assert run.returncode == 0, out + err
    assert "2 images done" in out


def test_lost_workers_are_struck_off_and_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there and is gone for a while, or failed to start, is replaced; what has yet to come is not."""
    asked: list[bool] = []
    closed: list[object] = []
    group = {"group": ["-0", "-1"]}
    specs: dict[object, dict[str, object]] = {0: {}, 1: {}, 2: {}, "job-0": group, "job-1": group, "pending": {}}
    cluster = SimpleNamespace(
        worker_spec=specs,
        workers={name: SimpleNamespace(close=name, status=Status.running) for name in specs},
        loop=SimpleNamespace(add_callback=closed.append),
        scheduler_info={"workers": {}},
    )

    def show(*names: object) -> None:
        cluster.scheduler_info["workers"] = {str(n): {"name": name} for n, name in enumerate(names)}
        watch.look()

    monkeypatch.setattr(replacement, "_LATER_SECONDS", -1.0)
    # ^ whatever was seen once counts as lost at the next look
    with dask.config.set({LOST_WORKER_TIMEOUT: "0s"}):
        watch = Replacement(cluster, lambda: asked.append(True))
    show(0, 1, "job-0-0", "job-0-1", "job-1-0", "job-1-1")
    assert (len(specs), asked) == (6, [])
    cluster.workers[2].status = Status.failed
    show(0, "job-0-1")

    assert set(specs) == set(cluster.workers) == {0, "job-0", "pending"}
    assert closed == [1, 2, "job-1"]
    assert asked == [True]


def test_clusters_that_keep_no_list_are_let_be() -> None:
    """A cluster without worker_spec (Kubernetes, Gateway) replaces its workers itself."""
    Replacement(SimpleNamespace(), lambda: pytest.fail("must not be asked")).look()
