"""What a config may say of a cluster without being asked whether it may run code, and what is kept of it."""

from __future__ import annotations

import inspect
import json
from itertools import chain
from typing import Any

import dask_jobqueue
import distributed
import pytest
import yaml
from dask_jobqueue.core import Job, JobQueueCluster
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.config import parse_config
from flatpipe.config.harmless import KEYWORDS, without_secrets
from flatpipe.errors import ConfigError

LOCAL, SSH, SLURM = "distributed.LocalCluster", "distributed.SSHCluster", "dask_jobqueue.SLURMCluster"
GATEWAY, KUBERNETES = "dask_gateway.GatewayCluster", "dask_kubernetes.operator.KubeCluster"
EVIL = "/x/evil.py"
RUNS_CODE: list[tuple[str, str, dict[str, Any]]] = [
    # class, the key that is named, what stands in the section
    *(
        (LOCAL, f"dask_config.{key}", {"dask_config": {key: [EVIL]}})
        for key in (
            *(f"distributed.{part}.preload" for part in ("scheduler", "worker", "nanny", "client")),
            *("distributed.worker.preload-argv", "distributed.worker.preload_argv", "distributed.nanny.environ"),
            *("distributed.nanny.pre_spawn_environ", "distributed.client.security-loader", "distributed.logging"),
            *("distributed.scheduler.http.routes", "distributed.scheduler.active-memory-manager.policies", "logging"),
            *("jobqueue.slurm.job-script-prologue", "jobqueue.slurm.python", "gateway.auth.type", "kubernetes.name"),
            *("distributed.comm.require-encryption", "distributed.comm.default-scheme", "jobqueue.slurm.shebang"),
            *("distributed", "distributed.worker", "scheduler", "distributed.scheduler.allowed-imports", "preload"),
        )
    ),
    (LOCAL, "dask_config.distributed.worker.preload", {"dask_config": {"distributed": {"worker": {"preload": EVIL}}}}),
    (LOCAL, "dask_config.distributed.worker.pre.load", {"dask_config": {"distributed.worker": {"pre.load": EVIL}}}),
    (LOCAL, "dask_config.temporary-directory", {"dask_config": {"temporary-directory": "scratch"}}),
    *((LOCAL, f"kwargs.{key}", {"kwargs": {key: EVIL}}) for key in (
        *("preload", "preload_nanny", "preload_argv", "preload_nanny_argv", "worker_class", "plugins", "extensions"),
        *("env", "services", "worker_services", "service_kwargs", "executor", "data", "startup_information", "config"),
        "security",
    )),
    (LOCAL, "kwargs.scheduler_kwargs.preload", {"kwargs": {"scheduler_kwargs": {"preload": EVIL}}}),
    (LOCAL, "kwargs.local_directory", {"kwargs": {"local_directory": "scratch"}}),
    (LOCAL, "kwargs.local_directory", {"kwargs": {"local_directory": "/proc/self/cwd/scratch"}}),
    (LOCAL, "kwargs.local_directory", {"kwargs": {"local_directory": "/../$PWD/scratch"}}),
    (LOCAL, "args.0", {"args": ["name"]}),
    *((SLURM, f"kwargs.{key}", {"kwargs": {key: [EVIL]}}) for key in (
        *("job_script_prologue", "env_extra", "shebang", "python", "worker_command", "job_extra_directives"),
        *("job_extra", "extra", "scheduler_cls", "job_cls", "config_name", "job_directives_skip", "header_skip"),
    )),
    *((SLURM, f"kwargs.{key}", {"kwargs": {key: value}}) for key, value in (
        ("queue", f"normal\n{EVIL}"), ("account", "-o/home/user/.bashrc"), ("interface", f"ib0 --preload {EVIL}"),
        ("local_directory", f"/tmp;{EVIL}"), ("name", f"$({EVIL})"), ("walltime", f"`{EVIL}`"), ("cores", "1&x"),
        ("death_timeout", "60 *"), ("log_directory", "x'"), ("project", 'x"'), ("memory", "4 GB x"),
        ("worker_extra_args", ["--preload", EVIL]), ("worker_extra_args", [f"--preload={EVIL}"]),
        ("worker_extra_args", [f"--lifetime={EVIL};"]), ("worker_extra_args", f"--preload {EVIL}"),
        ("worker_extra_args", [["--preload", EVIL]]), ("resource_spec", {"a;b": 1}),
    )),
    (SLURM, "kwargs.scheduler_options.preload", {"kwargs": {"scheduler_options": {"preload": EVIL}}}),
    (SLURM, "kwargs.scheduler_options.contact_address", {"kwargs": {"scheduler_options": {"contact_address": "a;b"}}}),
    *((SSH, f"kwargs.{key}", {"kwargs": {key: EVIL}}) for key in ("remote_python", "worker_class", "worker_module")),
    (SSH, "kwargs.worker_options.preload", {"kwargs": {"worker_options": {"preload": EVIL}}}),
    (SSH, "kwargs.worker_options.env", {"kwargs": {"worker_options": {"env": {"LD_PRELOAD": EVIL}}}}),
    (SSH, "kwargs.worker_options.name", {"kwargs": {"worker_options": {"name": f"'; {EVIL}; '"}}}),
    (SSH, "kwargs.connect_options.proxy_command", {"kwargs": {"connect_options": {"proxy_command": EVIL}}}),
    (SSH, "kwargs.connect_options.0.config", {"kwargs": {"connect_options": [{"config": EVIL}]}}),
    (SSH, "kwargs.connect_options.pkcs11_provider", {"kwargs": {"connect_options": {"pkcs11_provider": EVIL}}}),
    (SSH, "args.2.preload", {"args": [["head", "node"], {}, {"preload": EVIL}]}),
    (SSH, "args.4", {"args": [["head", "node"], {}, {}, {}, "evil.Worker"]}),
    (GATEWAY, "kwargs.auth", {"kwargs": {"auth": "evil.Auth"}}),
    (GATEWAY, "kwargs.image", {"kwargs": {"image": "evil"}}),
    *((KUBERNETES, f"kwargs.{key}", {"kwargs": {key: EVIL}}) for key in (
        *("image", "env", "worker_command", "custom_cluster_spec", "jupyter"),
    )),
    ("coiled.Cluster", "kwargs.container", {"kwargs": {"container": "evil"}}),
    (LOCAL, "adapt.Adaptive", {"adapt": {"Adaptive": "evil.Adaptive"}}),
]  # fmt: skip


def config_text(cluster: dict[str, Any]) -> str:
    """A config with this section."""
    return yaml.safe_dump({"input": {"path": "photos"}, "execution": {"cluster": cluster}}, sort_keys=False)


def kept(cluster: dict[str, Any]) -> dict[str, Any]:
    """What a run keeps of this section."""
    recorded = parse_config(config_text(cluster), "c.yaml", "/base").config.recorded()
    return dict(recorded["execution"]["cluster"])


@pytest.mark.parametrize(("class_", "key", "section"), RUNS_CODE, ids=[f"{row[0]}-{row[1]}" for row in RUNS_CODE])
def test_what_runs_code_must_be_allowed(class_: str, key: str, section: dict[str, Any]) -> None:
    """Each way to name code is refused with its place, also by a config without a class; allow_code lets it."""
    with pytest.raises(ConfigError) as refused:
        parse_config(config_text({"class": class_, **section}), "c.yaml", "/base")
    told = str(refused.value).splitlines()

    assert told[0] == "1 error in the config"
    assert told[1].startswith("c.yaml:")
    assert f" execution.cluster.{key}" in told[1]
    assert ": not known to be harmless, and may run code that this file names" in told[1]
    for switch in ("allow_code", "allow_any_class"):
        assert parse_config(config_text({"class": class_, switch: True, **section}), "c.yaml", "/base")
    if "dask_config" in section:
        with pytest.raises(ConfigError, match="not known to be harmless"):
            parse_config(config_text({"address": "tcp://head:8786", **section}), "c.yaml", "/base")


@pytest.mark.parametrize(("class_", "section"), [
    (LOCAL, {"kwargs": {"n_workers": 4, "memory_limit": "4 GiB", "dashboard_address": ":0", "resources": {"GPU": 1}}}),
    (LOCAL, {"kwargs": {"local_directory": "/scratch/$USER", "scheduler_kwargs": {"idle_timeout": "1 hour"}}}),
    (SLURM, {"kwargs": {"queue": "normal", "account": "abc-123_x", "local_directory": "$TMPDIR/dask", "nanny": True}}),
    (SLURM, {"kwargs": {"worker_extra_args": ["--lifetime", "115m", "--resources=GPU=1", "--no-dashboard"]}}),
    (SSH, {"args": [["head", "user@node1"], {"password": "x y'z", "known_hosts": None}, {"nthreads": 1}]}),
    (SSH, {"kwargs": {"connect_options": [{"client_keys": ["/home/me/my key"]}], "hosts": ["a", "b"]}}),
    (GATEWAY, {"kwargs": {"address": "https://gateway.example/path", "auth": "jupyterhub"}}),
    (LOCAL, {"adapt": {"minimum": 1, "maximum_memory": "10 GB"}}),
    (LOCAL, {"dask_config": {"distributed.comm.timeouts.tcp": "30s", "distributed.worker.memory": {"spill": False}}}),
    (LOCAL, {"dask_config": {"distributed": {"comm": {"tls": {"worker": {"key": "/etc/my key.pem"}}}}}}),
    (LOCAL, {"dask_config": {"distributed.scheduler.no_workers_timeout": "5 minutes"}}),
])  # fmt: skip
def test_what_is_harmless_needs_no_leave(class_: str, section: dict[str, Any]) -> None:
    """Sizes, names, networks, time limits and ways to log in are accepted as they are."""
    config = parse_config(config_text({"class": class_, **section}), "c.yaml", "/base").config

    assert config.execution.cluster is not None
    assert not config.execution.cluster.allow_code


def _parameters(*functions: Any) -> set[str]:
    names = chain.from_iterable(inspect.signature(function).parameters for function in functions)
    return {name.replace("_", "-") for name in names}


def test_every_name_on_the_list_is_one_that_the_class_knows() -> None:
    """What is allowed of Dask's own classes and of the queues are keywords that these have."""
    workers = _parameters(distributed.Nanny.__init__, distributed.Worker.__init__)
    assert set(KEYWORDS[LOCAL]) - workers <= _parameters(distributed.LocalCluster.__init__)
    assert set(KEYWORDS[SSH]) <= _parameters(distributed.SSHCluster)
    queues = [getattr(dask_jobqueue, name.partition(".")[2]) for name in KEYWORDS if name.startswith("dask_jobqueue.")]
    jobs = _parameters(JobQueueCluster.__init__, Job.__init__, *(queue.job_cls.__init__ for queue in queues))
    assert set(KEYWORDS[SLURM]) <= jobs


def test_infinity_is_no_number_of_a_cluster() -> None:
    """What JSON cannot hold is refused with its place, allowed code or not."""
    for section in ({"kwargs": {"a": {"b": [1, float("inf")]}}}, {"dask_config": {"x": float("nan")}}):
        with pytest.raises(ConfigError, match="must be a finite number"):
            parse_config(config_text({"class": LOCAL, "allow_code": True, **section}), "c.yaml", "/base")


# --- what is kept ----------------------------------------------------------------------------------------------------

SECRET = "hunter2"
SPELLINGS: list[dict[str, Any]] = [
    {"kwargs": {"password": SECRET}},
    {"kwargs": {"connection_string": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET};Endpoint=x"}},
    {"kwargs": {"env": {"AZURE_STORAGE_KEY": SECRET, "HARMLESS": SECRET, "name": SECRET, "n": 1}}},
    {"kwargs": {"job_script_prologue": [f"export AWS_SECRET_ACCESS_KEY={SECRET}"]}},
    {"kwargs": {"storage_options": {"account_key": SECRET, "sas_token": f"?sv=1&sig={SECRET}", "key": SECRET}}},
    {"kwargs": {"auth": {"type": "x", "kwargs": {"pw": SECRET, "pin": 12345}}}},
    {"kwargs": {"scheduler_options": {"contact_address": f"tls://user:{SECRET}@host:1", "jupyter": SECRET}}},
    {"kwargs": {"address": f"https://gateway/?token={SECRET}"}},
    {"kwargs": {"worker_extra_args": [f"--scheduler-sni={SECRET}", "--token", SECRET]}},
    {"kwargs": {"connect_options": [{"password": SECRET, "passphrase": SECRET}], "x": [[{"y": SECRET}]]}},
    {"args": [f"https://u:{SECRET}@host", {"password": SECRET}]},
    {"dask_config": {"gateway.auth.kwargs": {"password": SECRET}, "coiled.token": SECRET}},
    {"dask_config": {"distributed.nanny.environ.PGPASSWORD": SECRET, "distributed.worker.preload": [SECRET]}},
    {"adapt": {"credential": SECRET}},
]


@pytest.mark.parametrize("class_", [LOCAL, SSH, SLURM, GATEWAY, "site.clusters.Own"])
@pytest.mark.parametrize("section", SPELLINGS, ids=lambda section: json.dumps(section)[:40])
def test_no_secret_is_kept_in_any_spelling(section: dict[str, Any], class_: str) -> None:
    """Whatever a key is called that is not known to be harmless, its value is kept as ***; what is kept can be read."""
    recorded = kept({"class": class_, "allow_any_class": True, **section})

    assert SECRET not in json.dumps(recorded)
    assert "12345" not in json.dumps(recorded)
    assert kept(recorded) == recorded


def test_what_is_harmless_is_kept() -> None:
    """Names, sizes and time limits say what was done: they stay as they were given."""
    section = {
        "class": SLURM,
        "kwargs": {
            "queue": "normal",
            "cores": 16,
            "scheduler_options": {"port": 0},
            "worker_extra_args": ["--nthreads", 1],
        },
        "scale": {"jobs": 10},
        "dask_config": {"distributed.comm.timeouts.connect": "30s"},
    }
    assert {key: kept(section)[key] for key in section} == section
    connect = {"username": "me", "password": SECRET, "client_keys": ["/k"], "port": 22}
    hosts = kept({"class": SSH, "args": [["head", "node"], connect]})["args"]
    assert hosts == [["head", "node"], {**connect, "password": "***"}]


@pytest.mark.parametrize("text", [
    "s3://key:{}@bucket/x", "https://user:{}@host", "a=1;AccountKey={};b=2", "?sv=1&sig={}", "SharedAccessKey={}",
    "https://h/?X-Amz-Signature={}&x=1", "https://h/?access_token={}", "postgresql://u:{}@h:5432/db",
])  # fmt: skip
def test_secrets_within_texts_are_masked(text: str) -> None:
    """Passwords of URLs, signatures, tokens and keys in what is kept otherwise become ***, and nothing else does."""
    assert without_secrets(text.format(SECRET)) == text.format("***")


@given(st.from_regex(r"[a-z0-9:/.,_ -]*", fullmatch=True))
def test_texts_without_secrets_stay(text: str) -> None:
    """Plain names, addresses and paths are kept as they are."""
    assert without_secrets(text) == text
