"""The class that execution.cluster names -> a cluster of our own, scaled as the section says."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import math
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import dask
import distributed
from distributed.security import Security

from flatpipe.config import Config
from flatpipe.config.sections.cluster import ClusterSection
from flatpipe.engines.clusters.job_queue import HERE, job_queue_keywords
from flatpipe.engines.clusters.quiet import first_cause
from flatpipe.engines.clusters.replacement import Replacement
from flatpipe.engines.clusters.scratch import SCRATCH
from flatpipe.engines.clusters.security import as_options, credentials_for, temporary_credentials
from flatpipe.engines.clusters.ssh import credentials_on_hosts
from flatpipe.engines.clusters.starting import started
from flatpipe.engines.opening import Opening
from flatpipe.errors import ConfigError, RunGivenUp
from flatpipe.plan.settings import memory_per_worker
from flatpipe.system.machine import core_count

LOCAL_CLUSTER, SSH_CLUSTER = "distributed.LocalCluster", "distributed.SSHCluster"
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
def started_cluster(opening: Opening) -> Iterator[tuple[Any, Replacement]]:
    """A cluster that is ours, with its replacement; closed at the end.

    Its processes speak TLS, with credentials of this run unless the section names some. Raises RunGivenUp when it does
    not start, not before execution.cluster.wait_for.timeout, or the user stops meanwhile.
    """
    section, config = opening.section, opening.config
    factory, security = cluster_class(section), credentials_for(section) or temporary_credentials()
    args = () if section.class_ == SSH_CLUSTER else section.args
    with contextlib.ExitStack() as stack:
        try:
            make = partial(factory, *args, **_keywords(stack, section, config, security))
            with warnings.catch_warnings(action="ignore"):
                # ^ such as a dashboard port that is taken: Dask takes another
                timeout = section.wait_for.timeout
                cluster = started(str(section.class_), make, close_cluster, opening.stop, timeout)
            stack.callback(close_cluster, cluster)
            replacement = _scaled(cluster, section)
        except RunGivenUp:
            raise
        except Exception as error:  # somebody else's class: whatever it raises is told as it is
            words = f"execution.cluster: {section.class_} could not start: {first_cause(error)}"
            raise RunGivenUp(words) from error
        yield cluster, replacement


def _keywords(
    stack: contextlib.ExitStack, section: ClusterSection, config: Config, security: Security
) -> dict[str, Any]:
    """The section's kwargs over our defaults; `stack` takes back at the end what they need meanwhile."""
    given, (package, _, name) = dict(section.kwargs), str(section.class_).rpartition(".")
    if section.class_ == LOCAL_CLUSTER:
        return {**local_keywords(section, config), "security": security, **given, "local_directory": None}
        # ^ local_directory: the run's private folder lies below the one that is given
    if section.class_ == SSH_CLUSTER:
        return _ssh_keywords(stack, section, security)
    if package.partition(".")[0] == "dask_jobqueue":
        return job_queue_keywords(name.removesuffix("Cluster"), given, security)
    return given


def local_keywords(section: ClusterSection, config: Config) -> dict[str, Any]:
    """One thread in each process, as many processes as cores, pages for this machine alone, a share of the memory.

    Dask knows nothing of the control group that this process is in, and would share out the whole machine's.
    """
    workers = config.execution.workers
    usual = core_count() if workers == "auto" else workers
    count = 0 if section.scale or section.adapt else usual
    most = section.kwargs.get("n_workers") or most_workers(section) or usual
    pages = {"dashboard_address": HERE, "worker_dashboard_address": HERE}
    memory = {"memory_limit": memory_per_worker(config, most)}
    return {"n_workers": count, "threads_per_worker": 1, "silence_logs": 60, **pages, **memory}


def _ssh_keywords(stack: contextlib.ExitStack, section: ClusterSection, security: Security) -> dict[str, Any]:
    """Credentials on every host, and a folder of the run's own there for Dask's files."""
    bound = inspect.signature(distributed.SSHCluster).bind(*section.args, **section.kwargs).arguments
    given = {**bound, **bound.pop("kwargs", {})}
    if not section.security.is_given:
        folder, in_files = stack.enter_context(credentials_on_hosts(given, security))
        stack.enter_context(dask.config.set({SCRATCH: folder}))
    else:
        in_files = security
    scheduler = {"dashboard_address": HERE, "protocol": "tls", "security": as_options(in_files)}
    worker = {"dashboard_address": HERE, "security": as_options(in_files)}
    return {
        **given,
        "scheduler_options": scheduler | (given.get("scheduler_options") or {}),
        "worker_options": worker | (given.get("worker_options") or {}),
        "security": security,
    }


def _scaled(cluster: Any, section: ClusterSection) -> Replacement:
    """Ask the cluster for workers, and get the Replacement that asks again for those it loses."""
    scale = section.scale
    if section.adapt is not None:
        cluster.adapt(**adapt_keywords(cluster.adapt, section))
        return Replacement(cluster, None)
    if scale is None:
        count = len(getattr(cluster, "worker_spec", ()))
        return Replacement(cluster, partial(cluster.scale, count) if count else None)
    ask = partial(cluster.scale, **scale) if isinstance(scale, Mapping) else partial(cluster.scale, scale)
    ask()
    return Replacement(cluster, ask)


def adapt_keywords(adapt: Callable[..., Any], section: ClusterSection) -> dict[str, Any]:
    """The section's keywords over our defaults, and no fewer workers than are waited for.

    Nothing is submitted before these are there, and with nothing to do an adaptive cluster starts none by itself.
    """
    given = {name: value for name, value in (section.adapt or {}).items() if value or not name.startswith("minimum")}
    accepted = inspect.signature(adapt).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in accepted.values())
    least = min(section.wait_for.workers, most_workers(section) or section.wait_for.workers)
    minimum = {"minimum": max(given.pop("minimum", 0), least)}
    if "minimum_jobs" in accepted:
        jobs = math.ceil(minimum["minimum"] / _workers_of_job(section))
        minimum = {"minimum_jobs": max(given.pop("minimum_jobs", 0), jobs)}
        # ^ whole jobs: of one with more workers than the least, Dask closes those, and with them the job
    wanted = {"target_duration": _TARGET_DURATION, **given, **minimum}
    return {name: value for name, value in wanted.items() if takes_any or name in {*accepted, *given}}


def most_workers(section: ClusterSection) -> int:
    """The most workers that are foreseen; 0 when that is not known."""
    wanted = dict(section.adapt or {})
    if isinstance(section.scale, int):
        wanted["maximum"] = section.scale
    elif section.scale:
        wanted |= {"maximum_jobs": section.scale.get("jobs", 0), "maximum": section.scale.get("n", 0)}
    return int(max(wanted.get("maximum") or 0, (wanted.get("maximum_jobs") or 0) * _workers_of_job(section)))


def _workers_of_job(section: ClusterSection) -> int:
    return int(section.kwargs.get("processes") or section.kwargs.get("cores") or 1)


def close_cluster(cluster: Any, **options: Any) -> None:
    """Close a cluster that we made."""
    with contextlib.suppress(OSError, TimeoutError, RuntimeError, ValueError):
        # ^ a cluster that is gone already cannot be closed, and that is no news
        cluster.close(**options)
