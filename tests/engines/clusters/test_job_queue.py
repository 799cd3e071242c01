"""The scripts of jobs that are submitted to queues which this machine does not have."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flatpipe.engines.clusters.job_queue import job_queue_keywords
from flatpipe.engines.clusters.security import temporary_credentials

dask_jobqueue = pytest.importorskip("dask_jobqueue")
_OWN: dict[str, dict[str, Any]] = {"HTCondor": {"disk": "1GB"}}
_QUEUES = ("SLURM", "PBS", "LSF", "SGE", "HTCondor")


def script(queue: str, tmp_path: Path, **more: object) -> str:
    """The script of a job, as it would be submitted."""
    given = {"cores": 2, "memory": "2GB", "log_directory": str(tmp_path / "logs"), **_OWN.get(queue, {}), **more}
    if queue == "LSF":
        given |= {"use_stdin": True, "lsf_units": "mb"}
        # ^ what it would ask the queue's own commands for
    keywords = job_queue_keywords(queue, given, temporary_credentials())
    with getattr(dask_jobqueue, f"{queue}Cluster")(**keywords, silence_logs=60) as cluster:
        assert cluster.scheduler_address.startswith("tls://")
        return str(cluster.job_script())


@pytest.mark.parametrize("queue", _QUEUES)
def test_every_queue_starts_workers_with_tls(queue: str, tmp_path: Path) -> None:
    """Keys are named by paths and never written out; pages of workers are for their machine alone."""
    text = script(queue, tmp_path)

    assert re.search(r"--tls-key \S*/logs/\.dask-jobqueue\.worker\.key", text)
    assert "PRIVATE KEY" not in text
    assert "--dashboard-address 127.0.0.1:0" in text
    assert "--nworkers 2" in text
    assert "--death-timeout 600" in text
    # ^ kernels may have to be compiled first


@pytest.mark.parametrize("queue", [queue for queue in _QUEUES if queue != "HTCondor"])
def test_a_job_makes_a_private_folder_for_itself(queue: str, tmp_path: Path) -> None:
    """What stands in local_directory is not used: the script makes a folder there that nobody else can enter."""
    text = script(queue, tmp_path, local_directory=str(tmp_path / "scratch"))
    made = text[text.index("FLATPIPE_SCRATCH=") : text.index("\ntrap")]
    shown = subprocess.run(
        ["bash", "-c", f"{made}; stat -c %a $FLATPIPE_SCRATCH"], capture_output=True, text=True, check=True
    )

    assert "--local-directory $FLATPIPE_SCRATCH" in text
    assert shown.stdout == "700\n"


def test_what_is_asked_for_in_so_many_words_is_kept(tmp_path: Path) -> None:
    """Another dashboard address and other processes than ours are left as they are given."""
    text = script("SLURM", tmp_path, processes=1, worker_extra_args=["--dashboard-address", ":9000"])

    assert "--dashboard-address :9000" in text
    assert "127.0.0.1:0" not in text
    assert "--nworkers 2" not in text
