"""Who may send code to scheduler and workers."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from commands import Project, environment
from intruder import Target, intrusions, let_others_in
from servers import Servers, expected, wait_for
from strangers import family, let_in, ports

from flatpipe.config import load_config
from flatpipe.engines.clusters.security import certificates, temporary_credentials
from flatpipe.engines.open import open_engine
from flatpipe.engines.opening import Opening
from flatpipe.observer import RunObserver
from flatpipe.plan.backend import choose_backend
from flatpipe.plan.settings import task_settings
from flatpipe.stop import StopRequest

_ENGINES = {
    "processes": {"scheduler": "processes", "workers": 2},
    "LocalCluster": {"cluster": {"class": "distributed.LocalCluster", "scale": 2}},
}


@pytest.mark.parametrize("execution", _ENGINES.values(), ids=_ENGINES)
def test_a_stranger_on_the_machine_is_not_spoken_to(execution: dict[str, object], tmp_path: Path) -> None:
    """Every port of a run is bound to this machine alone, and answers neither without keys nor to other keys."""
    project = Project.make(tmp_path / "p", images=8, execution={**execution, "granularity": "image"})
    run = project.start("run", faults={"slow": 1.0})
    wait_for(lambda: run.poll() is not None or list((project.out / "images").rglob("sweep.gif")))
    found = ports(family(run.pid))
    answered = let_in(list(found))
    out, err = run.communicate(timeout=100)

    assert len(found) >= 5, out + err
    assert set(found.values()) == {"127.0.0.1"}
    assert answered == []
    assert run.returncode == 0, out + err


def test_pages_of_workers_within_the_run_are_for_this_machine(tmp_path: Path) -> None:
    """A LocalCluster without processes and ports binds those of its pages to this machine alone."""
    kwargs = {"n_workers": 1, "processes": False, "protocol": "inproc"}
    execution = {"cluster": {"class": "distributed.LocalCluster", "kwargs": kwargs}}
    config = load_config(Project.make(tmp_path, images=1, execution=execution).folder / "pipeline.yaml")
    before = ports([psutil.Process()])
    opening = Opening(config, task_settings(config), (), RunObserver(), StopRequest())
    with open_engine(choose_backend(config, 1.0, 1), opening):
        found = ports([psutil.Process()]).items() - before.items()

    assert {address for _, address in found} == {"127.0.0.1"}


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """Paths of a certificate and its key, as the config names them."""
    certificate, key = certificates(temporary_credentials())
    (tmp_path / "cert.pem").write_text(certificate)
    (tmp_path / "key.pem").touch(mode=0o600)
    (tmp_path / "key.pem").write_text(key)
    return {"ca_file": str(tmp_path / "cert.pem"), "cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}


def test_a_scheduler_with_tls_is_used_with_the_keys_of_the_config(
    servers: Servers, tmp_path: Path, keys: dict[str, str]
) -> None:
    """By address and by scheduler file, with execution.cluster.security: the bytes of a threads run.

    Meanwhile a second user gets nothing of the run, the scheduler and its workers.
    """
    options = ("--tls-ca-file", keys["ca_file"], "--tls-cert", keys["cert"], "--tls-key", keys["key"])
    scheduler, file = servers.dask_scheduler(tmp_path, *options, "--protocol", "tls")
    hold, begun = tmp_path / "hold", tmp_path / "begun"
    hold.touch()
    workers = servers.dask_workers(file, 2, *options, **environment({"log": str(begun), "hold": str(hold)}))
    cluster = {"scheduler_file": str(file), "security": keys, "wait_for": {"workers": 2, "timeout": "60s"}}
    project = Project.make(tmp_path / "p", images=3, execution={"cluster": cluster})
    let_others_in(project.folder)
    run = project.start("run")
    wait_for(lambda: run.poll() is not None or begun.exists())
    processes = [one for started in (run, scheduler, workers) for one in family(started.pid)]
    found = intrusions(Target.of(processes, tmp_path))
    is_under_way = run.poll() is None
    hold.unlink()
    out, err = run.communicate(timeout=100)

    assert run.returncode == 0, out + err
    assert is_under_way
    assert found == []
    assert project.digests() == expected(tmp_path / "threads", 3)
    without = project.flatpipe("run", "-s", "execution.cluster.security=null", "--force")
    assert without.returncode in (2, 3)
    assert "execution.cluster.security: tls://" in without.stdout + without.stderr


@pytest.mark.parametrize(("section", "words"), [
    ({"address": "tls://127.0.0.1:9"}, "execution.cluster.security: tls://127.0.0.1:9 needs ca_file, cert and key"),
    ({"address": "ucx://head:8786"}, "must begin with tcp:// or tls://, not 'ucx'"),
    ({"address": "tcp://127.0.0.1:9", "security": True}, "does not use them; start the scheduler with TLS"),
    ({"address": "tls://127.0.0.1:9", "security": "missing"}, "cannot be used: No such file"),
], ids=["no keys", "ucx", "keys without tls", "missing files"])  # fmt: skip
def test_an_address_that_does_not_fit_its_keys_is_a_sentence(
    section: dict[str, object], words: str, tmp_path: Path, keys: dict[str, str]
) -> None:
    """Exit 2 with what to do, before anything is done, never a traceback."""
    if section.get("security"):
        names = keys if section["security"] is True else {name: f"{path}.none" for name, path in keys.items()}
        section = {**section, "security": names}
    project = Project.make(tmp_path / "p", images=1, execution={"cluster": section})
    done = project.flatpipe("run")

    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_keys_of_two_runs_are_two(tmp_path: Path) -> None:
    """Every run has a key of its own."""
    assert certificates(temporary_credentials()) != certificates(temporary_credentials())
