"""The class that execution.cluster names -> a cluster of our own, scaled as the section says."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from dask.system import CPU_COUNT

from flatpipe.config import Config
from flatpipe.config.cluster import ClusterSection
from flatpipe.engines.clusters.replacement import Replacement
from flatpipe.errors import ConfigError, RunGivenUp

LOCAL_CLUSTER = "distributed.LocalCluster"
_TARGET_DURATION = "500ms"
# ^ Dask's 5 s keeps an adaptive cluster at one worker: it counts ready tasks only, and most of ours wait for a load
_PACKAGES = {
    "dask_jobqueue": "'flatpipe[jobqueue]'",
    "distributed": "'flatpipe[ssh]'",
    "dask_kubernetes": "dask-kubernetes",
    "dask_gateway": "dask-gateway",
}
_SUBMIT_COMMANDS = {"SLURM": "sbatch", "PBS": "qsub", "LSF": "bsub", "SGE": "qsub", "HTCondor": "condor_submit"}


def cluster_class(section: ClusterSection) -> Callable[..., Any]:
    """What execution.cluster.class names, imported; raises ConfigError when it cannot be."""
    module, _, name = str(section.class_).rpartition(".")
    try:
        factory = getattr(importlib.import_module(module), name)
    except ImportError as error:
        package = _PACKAGES.get(module.partition(".")[0], module.partition(".")[0])
        words = f"execution.cluster.class: {section.class_} cannot be imported ({error}): pip install {package}"
        raise ConfigError(words) from error
    except AttributeError as error:
        raise ConfigError(f"execution.cluster.class: {module} has no {name}") from error
    command = _SUBMIT_COMMANDS.get(name.removesuffix("Cluster")) if module.startswith("dask_jobqueue") else None
    if command and shutil.which(command) is None:
        words = f"{section.class_} needs {command}, which is not on this machine: run flatpipe on a login node"
        raise ConfigError(f"execution.cluster.class: {words}")
    if command and section.scale is None and section.adapt is None and "n_workers" not in section.kwargs:
        raise ConfigError("execution.cluster: say how many jobs to submit, such as scale: {jobs: 10}")
    return factory  # type: ignore[no-any-return]


@contextlib.contextmanager
def started_cluster(section: ClusterSection, config: Config) -> Iterator[tuple[Any, Replacement]]:
    """A cluster that is ours, with its replacement; closed at the end; raises RunGivenUp when it does not start."""
    factory = cluster_class(section)
    cluster = None
    try:
        with warnings.catch_warnings(action="ignore"):
            # ^ such as a dashboard port that is taken: Dask takes another
            cluster = factory(*section.args, **_keywords(section, config))
            replacement = _scaled(cluster, section)
    except Exception as error:  # somebody else's class: whatever it raises is told as it is
        if cluster is not None:
            close_cluster(cluster)
        words = f"execution.cluster: {section.class_} could not start: {type(error).__name__}: {error}"
        raise RunGivenUp(words) from error
    try:
        yield cluster, replacement
    finally:
        close_cluster(cluster)


def _keywords(section: ClusterSection, config: Config) -> dict[str, Any]:
    """The section's kwargs over our defaults: one thread in each process, as many processes as cores."""
    given = dict(section.kwargs)
    if section.class_ == LOCAL_CLUSTER:
        workers = config.execution.workers
        count = 0 if section.scale or section.adapt else CPU_COUNT if workers == "auto" else workers
        ours = {"n_workers": count, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "silence_logs": 60}
        memory = config.limits.memory_per_worker
        given.pop("local_directory", None)
        # ^ the private folder of the run lies below it
        return {**ours, **({} if memory is None else {"memory_limit": memory}), **given}
    if str(section.class_).startswith("dask_jobqueue.") and "cores" in given:
        return {"processes": given["cores"], **given}
    return given


def _scaled(cluster: Any, section: ClusterSection) -> Replacement:
    """Ask the cluster for workers, and get the Replacement that asks again for those it loses."""
    scale = section.scale
    if section.adapt is not None:
        accepted = inspect.signature(cluster.adapt).parameters.values()
        has_target = any(one.name == "target_duration" or one.kind is one.VAR_KEYWORD for one in accepted)
        cluster.adapt(**({"target_duration": _TARGET_DURATION} if has_target else {}) | section.adapt)
        return Replacement(cluster, None)
    if scale is None:
        count = len(getattr(cluster, "worker_spec", ()))
        return Replacement(cluster, partial(cluster.scale, count) if count else None)
    ask = partial(cluster.scale, **scale) if isinstance(scale, Mapping) else partial(cluster.scale, scale)
    ask()
    return Replacement(cluster, ask)


def most_workers(section: ClusterSection) -> int:
    """The most workers that are foreseen; 0 when that is not known."""
    wanted = dict(section.adapt or {})
    if isinstance(section.scale, int):
        wanted["maximum"] = section.scale
    elif section.scale:
        wanted["maximum_jobs"] = section.scale.get("jobs", 0)
    per_job = section.kwargs.get("processes") or section.kwargs.get("cores") or 1
    return int(max(wanted.get("maximum") or 0, (wanted.get("maximum_jobs") or 0) * per_job))


def close_cluster(cluster: Any, **options: Any) -> None:
    """Close a cluster that we made."""
    with contextlib.suppress(OSError, TimeoutError, RuntimeError, ValueError):
        # ^ a cluster that is gone already cannot be closed, and that is no news
        cluster.close(**options)
