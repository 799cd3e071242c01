"""A real SLURM of one node, through dask_jobqueue."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from commands import Project
from intruder import NOBODY, Target, intrusions, let_others_in
from servers import Servers, expected, wait_for
from strangers import family, ports

MISSING = [program for program in ("slurmctld", "slurmd", "sbatch", "munged") if shutil.which(program) is None]

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"needs SLURM: {', '.join(MISSING)} not installed (see .ci/run)"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a SLURM of one node wants root"),
]


@pytest.fixture
def slurm(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a SLURM that runs; SLURM_CONF names it."""
    folder = tmp_path / "slurm"
    script = Path(__file__).parent / "one_node_slurm.sh"
    ready = folder / "ready"
    servers.start(str(script), str(folder), "sh", "-c", f"touch {ready}; sleep 300", PYTHON=sys.executable)
    wait_for(ready.exists)
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    return folder


def jobs() -> list[str]:
    """Numbers of the jobs that run."""
    listing = subprocess.run(
        ["squeue", "--noheader", "--states=RUNNING", "--format=%i"], capture_output=True, text=True, check=True
    )
    return sorted(listing.stdout.split(), key=int)


def workers_of_jobs() -> list[psutil.Process]:
    """What the jobs' scripts have started."""
    return [
        one for one in psutil.process_iter(["cmdline"]) if "distributed.cli.dask_worker" in (one.info["cmdline"] or ())
    ]


def said_to_nobody(*command: str) -> str:
    """What SLURM answers a second user."""
    done = subprocess.run(
        command, user=NOBODY, group=NOBODY, extra_groups=[], check=False, capture_output=True, text=True
    )
    return done.stdout + done.stderr


def test_a_job_that_is_cancelled_on_the_way_is_replaced(slurm: Path, tmp_path: Path) -> None:
    """Two jobs, one cancelled half-way: another takes its place, every image is done, equal bytes, no job is left.

    A second user gets nothing of run and jobs meanwhile; the key is in files that only we may read, and none is left.
    """
    kwargs: dict[str, Any] = {
        "queue": "debug",
        "cores": 1,
        "memory": "1GB",
        "walltime": "00:05:00",
        "interface": "lo",
        "log_directory": str(slurm / "jobs"),
        "local_directory": str(slurm / "scratch"),
    }
    cluster = {
        "class": "dask_jobqueue.SLURMCluster",
        "kwargs": kwargs,
        "scale": {"jobs": 2},
        "wait_for": {"workers": 2, "timeout": "100s"},
        "dask_config": {"distributed.deploy.lost-worker-timeout": "3s"},
    }
    execution = {"granularity": "image", "cluster": cluster}
    project = Project.make(tmp_path / "p", images=40, execution=execution)
    hold = tmp_path / "hold"
    run = project.start("run", faults={"slow": 0.5, "hold": str(hold)})
    wait_for(lambda: run.poll() is not None or len(list((project.out / "images").rglob("sweep.gif"))) > 3, seconds=120)
    first = jobs()
    assert len(first) == 2, run.communicate()
    subprocess.run(["scancel", first[0]], check=True)
    wait_for(lambda: run.poll() is not None or set(jobs()) - set(first))
    replaced = set(jobs()) - set(first)
    modes = {stat.S_IMODE(key.stat().st_mode) for key in (slurm / "jobs").glob(".dask-jobqueue.*")}
    listening = ports([*family(run.pid), *workers_of_jobs()])
    hold.touch()
    let_others_in(tmp_path)
    a_job = next(iter(replaced))
    refused = [said_to_nobody("scancel", a_job), said_to_nobody("scontrol", "write", "batch_script", a_job, "-")]
    found = intrusions(
        Target.of([*family(run.pid), *workers_of_jobs()], project.folder, slurm / "jobs", slurm / "scratch")
    )
    is_under_way = run.poll() is None
    hold.unlink()
    out, err = run.communicate(timeout=100)

    assert run.returncode == 0, out + err
    assert len(replaced) == 1
    assert modes == {0o600}
    assert set(listening.values()) == {"127.0.0.1"}
    assert is_under_way
    assert found == []
    assert ["denied" in refused[0], "failed: Invalid user" in refused[1]] == [True, True], refused
    assert project.digests() == expected(tmp_path / "threads", 40)
    wait_for(lambda: jobs() == [])
    assert list((slurm / "jobs").glob(".dask-jobqueue.*")) == []
    assert list((slurm / "scratch").glob("dask-scratch-space")) == []
