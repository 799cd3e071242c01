"""What a run keeps of its config: all of it, but no secret of the cluster's section."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Project

from flatpipe.config import load_config, load_resolved, parse_config, resolved_yaml
from flatpipe.proof.recorded import config_yaml

SECRET = "hunter2-from-the-environment"
LITERAL = "swordfish-in-the-file"
CLUSTER = {
    "class": "distributed.LocalCluster",
    "allow_code": True,
    "args": ["${CLUSTER_SECRET}"],
    "kwargs": {"queue": "q-${CLUSTER_SECRET}", "options": {"password": LITERAL, "api_token": 12345, "cores": 8}},
    "dask_config": {"distributed.comm.tls.key": "${CLUSTER_SECRET}"},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An image, and a config whose cluster holds secrets of both kinds."""
    monkeypatch.setenv("CLUSTER_SECRET", SECRET)
    return Project.make(tmp_path, images=1, execution={"cluster": CLUSTER})


def test_no_file_of_a_run_holds_a_secret(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither run.json nor the run's folder nor the ledger; without the variable the outputs can still be verified."""
    assert project.flatpipe("run", "-s", "execution={scheduler: synchronous, cluster: null}").returncode == 0
    done = project.flatpipe("run", "-s", "execution.cluster.kwargs.name=${CLUSTER_SECRET}")
    assert "nothing to do" in done.stdout, done.stderr
    files = [path for path in project.out.rglob("*") if path.is_file()]

    assert {"run.json", "ledger.sqlite", "config.yaml"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        assert SECRET.encode() not in content, path
        assert LITERAL.encode() not in content, path
    assert '"${CLUSTER_SECRET}"' in (project.out / "run.json").read_text()
    monkeypatch.delenv("CLUSTER_SECRET")
    assert project.flatpipe("verify", "out").returncode == 0


def test_the_kept_config_is_the_config_where_the_variables_are_set(project: Project) -> None:
    """config.yaml reads as the run's config but for what is masked, and says where a variable stood."""
    original = load_config(project.folder / "pipeline.yaml")
    config = parse_config(config_yaml(original), "config.yaml", "/elsewhere").config
    cluster = config.execution.cluster

    assert cluster is not None
    assert original.execution.cluster is not None
    assert cluster.args == (SECRET,)
    assert cluster.kwargs["queue"] == f"q-{SECRET}"
    assert cluster.kwargs["options"] == {"password": "***", "api_token": "***", "cores": "***"}
    assert cluster.dask_config == original.execution.cluster.dask_config
    assert config.recorded() == original.recorded()


def test_resolved_shows_no_secret_of_the_environment(project: Project) -> None:
    """What validate --resolved prints has the variable in the cluster's section, and its value elsewhere."""
    shown = resolved_yaml(load_resolved(project.folder / "pipeline.yaml", ["output.path=${CLUSTER_SECRET}"]))

    assert "q-${CLUSTER_SECRET}" in shown
    assert shown.count(f'/{SECRET}"  # -s') == 1
    assert shown.count(SECRET) == 1


def test_a_replaced_value_is_no_variable_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a profile or an override takes the place of a value with a variable, its own value is kept."""
    monkeypatch.setenv("CLUSTER_SECRET", SECRET)
    text = (
        "input: {path: a}\n"
        "execution: {cluster: {class: distributed.LocalCluster, kwargs: {name: '${CLUSTER_SECRET}'}}}\n"
        "profiles: {p: {execution: {cluster: {kwargs: {name: plain, host: 'x${CLUSTER_SECRET}'}}}}}\n"
    )
    loaded = parse_config(text, "c.yaml", "/", profile="p")
    kwargs = loaded.config.recorded()["execution"]["cluster"]["kwargs"]

    assert kwargs == {"name": "plain", "host": "x${CLUSTER_SECRET}"}
    assert parse_config(resolved_yaml(loaded), "again.yaml", "/").config == loaded.config
    none = parse_config(text, "c.yaml", "/", ["execution.cluster=null"]).config
    assert none.recorded()["execution"]["cluster"] is None
