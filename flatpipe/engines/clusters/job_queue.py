"""Job queues: what our jobs get besides what the config says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dask
from distributed.security import Security

_SHELL_JOBS = ("SLURM", "PBS", "LSF", "SGE")
# ^ whose jobs are shell scripts; HTCondor's are a command in quotes
_START_SECONDS = 600
# ^ in which a worker must be ready, kernels compiled; after the 60 of dask_jobqueue a first run lost job after job
_FOLDER = "$FLATPIPE_SCRATCH"
_PLAIN = re.compile(r"[\w./${}~-]+")
HERE = "127.0.0.1:0"
# ^ where pages of Dask may be read unless the config asks for more: on the machine itself


def job_queue_keywords(name: str, given: Mapping[str, Any], security: Security) -> dict[str, Any]:
    """Keywords of a class of dask_jobqueue: those that are given, and ours; `name` is that of the queue, as SLURM.

    As many processes as cores, TLS, pages for this machine alone, a private folder on each node.
    """
    ours: dict[str, Any] = {"security": security, "death_timeout": _START_SECONDS, **_shared_folder(name, given)}
    if "cores" in given:
        ours["processes"] = given["cores"]
    extra = list(given.get("worker_extra_args") or _setting(name, "worker-extra-args") or ())
    if not any("dashboard" in str(argument) for argument in extra):
        extra += ["--dashboard-address", HERE]
    scheduler = {"dashboard_address": HERE, **(_setting(name, "scheduler-options") or {})}
    scheduler |= given.get("scheduler_options") or {}
    return {
        **ours,
        **given,
        **_private_folder(name, given),
        "worker_extra_args": extra,
        "scheduler_options": scheduler,
    }


def _shared_folder(name: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Where jobs find the key: a file that only the user can read, in a folder that all nodes see."""
    if _setting(name, "shared-temp-directory"):
        return {}
    folder = Path(given.get("log_directory") or ".").expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return {"shared_temp_directory": str(folder)}


def _private_folder(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A folder of its own for each job, below local_directory: what stands there already is not trusted."""
    if name not in _SHELL_JOBS:
        return {}
    place = given.get("local_directory") or _setting(name, "local-directory")
    parent = _for_a_shell(str(place)) if place else "${TMPDIR:-/tmp}"
    make = f"{_FOLDER[1:]}=$(mkdir -p {parent} && mktemp -d -p {parent} flatpipe-XXXXXXXX) || exit 1"
    made = [make, f"trap 'rm -rf \"{_FOLDER}\"' EXIT"]
    prologue = given.get("job_script_prologue") or _setting(name, "job-script-prologue") or ()
    return {"local_directory": _FOLDER, "job_script_prologue": [*prologue, *made]}


def _for_a_shell(place: str) -> str:
    """The folder as a word of the job's script; variables of the node, such as $TMPDIR, are replaced there."""
    return place if _PLAIN.fullmatch(place) else shlex.quote(place)


def _setting(name: str, key: str) -> Any:
    return dask.config.get(f"jobqueue.{name.lower()}.{key}", None)
