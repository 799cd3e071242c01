"""What may stand below execution.cluster in anybody's config: keys that name no code to run, and keep no secret.

A list of what is allowed, not of what is forbidden: Dask and the libraries around it have dozens of keys that import a
module, start a program or write a line of a job's script, and get more with each release.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any

from flatpipe.config.problems import KeyPath

MASK = "***"
FREE_PARTS = ("args", "kwargs", "adapt", "dask_config")
# ^ keys of the section whose values go to Dask as they are


class Kind(Enum):
    """What the value of a harmless key may be, and whether it is kept."""

    PLAIN = auto()
    # ^ numbers, and texts that a shell, a job's script and a command line take for nothing but themselves
    FOLDER = auto()
    # ^ the same, from the root: Dask imports from its folders, and one beside the config comes from who wrote that
    FLAGS = auto()
    # ^ a list of options of `dask worker`, those that are harmless, and their values
    WORD = auto()
    # ^ a word without a dot: what has one is imported
    TEXT = auto()
    # ^ any text: it meets no shell
    SECRET = auto()
    # ^ any text: it meets no shell, and is never kept


Rule = Kind | Mapping[str, "Rule"]


def _plain(*names: str) -> dict[str, Rule]:
    return dict.fromkeys(names, Kind.PLAIN)


_SCHEDULER: Rule = {
    **_plain("host", "port", "interface", "protocol", "dashboard", "dashboard-address", "http-prefix", "validate"),
    **_plain("idle-timeout", "allowed-failures", "worker-ttl", "contact-address", "silence-logs"),
}
_WORKER: dict[str, Rule] = {
    **_plain("n-workers", "nthreads", "memory-limit", "name", "resources", "interface", "host", "port", "protocol"),
    **_plain("dashboard", "dashboard-address", "death-timeout", "silence-logs"),
    **_plain("lifetime", "lifetime-stagger", "lifetime-restart"),
    "local-directory": Kind.FOLDER,
}
_CONNECTION: Rule = {
    **_plain("username", "port", "tunnel", "connect-timeout", "login-timeout"),
    **_plain("keepalive-interval", "keepalive-count-max"),
    **dict.fromkeys(("client-keys", "known-hosts"), Kind.TEXT),
    **dict.fromkeys(("password", "passphrase"), Kind.SECRET),
}
_LOCAL: dict[str, Rule] = {
    **_WORKER,
    **_plain("threads-per-worker", "processes", "scheduler-port", "worker-dashboard-address"),
    "scheduler-kwargs": _SCHEDULER,
}
_SSH_ARGUMENTS: dict[str, Rule] = {
    "hosts": Kind.PLAIN,
    "connect-options": _CONNECTION,
    "worker-options": _WORKER,
    "scheduler-options": _SCHEDULER,
}
_QUEUE: dict[str, Rule] = {
    **_plain(
        "n-workers", "name", "job-name", "queue", "project", "account", "walltime", "cores", "memory", "processes"
    ),
    **_plain("interface", "protocol", "host", "dashboard-address", "silence-logs", "nanny", "death-timeout"),
    **_plain("log-directory", "job-cpu", "job-mem", "resource-spec", "ncpus", "mem", "lsf-units", "use-stdin", "disk"),
    **dict.fromkeys(("local-directory", "shared-temp-directory"), Kind.FOLDER),
    "scheduler-options": _SCHEDULER,
    "worker-extra-args": Kind.FLAGS,
}
_KUBERNETES = _plain(
    *("name", "namespace", "n-workers", "resources", "idle-timeout", "resource-timeout", "shutdown-on-close"),
    *("port-forward-cluster-ip", "scheduler-service-type", "scheduler-forward-port", "quiet"),
)
_GATEWAY: dict[str, Rule] = {
    **_plain("address", "public-address", "proxy-address", "shutdown-on-close", "worker-cores", "worker-memory"),
    "auth": Kind.WORD,
}
_COILED = _plain(
    *("name", "n-workers", "worker-cpu", "worker-memory", "worker-vm-types", "worker-gpu", "worker-disk-size"),
    *("scheduler-cpu", "scheduler-memory", "scheduler-vm-types", "region", "account", "workspace", "idle-timeout"),
    *("no-client-timeout", "shutdown-on-close", "spot-policy", "use-best-zone", "allow-cross-zone", "arm", "timeout"),
    *("wait-for-workers", "tags"),
)
_ROWS: Rule = {str(row): rule for row, rule in enumerate(_SSH_ARGUMENTS.values())}
KEYWORDS: dict[str, dict[str, Rule]] = {
    "distributed.LocalCluster": _LOCAL,
    "distributed.SSHCluster": _SSH_ARGUMENTS,
    **{f"dask_jobqueue.{queue}Cluster": _QUEUE for queue in ("SLURM", "PBS", "LSF", "SGE", "HTCondor")},
    "dask_kubernetes.operator.KubeCluster": _KUBERNETES,
    "dask_gateway.GatewayCluster": _GATEWAY,
    "coiled.Cluster": _COILED,
}
# ^ of each class that flatpipe knows
_ANY_KEYWORDS: Rule = {name: rule for rules in KEYWORDS.values() for name, rule in rules.items()}
# ^ for what is kept of a class that flatpipe does not know
_ADAPT: Rule = _plain(
    *("minimum", "maximum", "minimum-cores", "maximum-cores", "minimum-memory", "maximum-memory"),
    *("minimum-jobs", "maximum-jobs", "interval", "wait-count", "target-duration"),
)
_SETTINGS: Rule = {
    "temporary-directory": Kind.FOLDER,
    "distributed": {
        "scheduler": _plain(
            *("allowed-failures", "bandwidth", "default-data-size", "events-cleanup-delay", "idle-timeout"),
            *("no-workers-timeout", "work-stealing", "work-stealing-interval", "worker-saturation", "worker-ttl"),
            *("unknown-task-duration", "default-task-durations", "validate", "transition-log-length"),
        ),
        "worker": _plain("memory", "lifetime", "profile", "connections", "transfer", "validate", "resources"),
        "client": _plain("heartbeat", "scheduler-info-interval"),
        "deploy": _plain("lost-worker-timeout", "cluster-repr-interval"),
        "adaptive": Kind.PLAIN,
        "comm": dict.fromkeys(
            ("timeouts", "retry", "tls", "socket-backlog", "compression", "zstd", "offload", "shard"), Kind.TEXT
        ),
        "diagnostics": Kind.PLAIN,
        "admin": _plain("tick", "max-error-length", "log-length", "low-level-log-length", "system-monitor"),
    },
}
# ^ of Dask itself: none that names a module, a class, a program, a variable of the environment or a way to log, and
#   none that turns encryption off
_FLAGS = {
    *("--lifetime", "--lifetime-stagger", "--lifetime-restart", "--memory-limit", "--death-timeout", "--resources"),
    *("--nthreads", "--nworkers", "--interface", "--protocol", "--dashboard", "--no-dashboard"),
    "--dashboard-address",
}

_WORD = re.compile(r"\w*", re.ASCII)
_PLAIN = re.compile(r"(?!-)(?!.*://.*@)(?:[\w.,:/@%+=~-]|\$(?=\w))*|\d+(?:\.\d+)? [A-Za-z]+", re.ASCII)
# ^ no blank but in a size, since what stands behind one is another argument; no wildcard; no password in a URL
_HOMES = r"\$(?:HOME|TMPDIR|SCRATCH|WORK|SLURM_TMPDIR)\b"
_FOLDER = re.compile(
    rf"(?:/|~|{_HOMES})(?:[^$]|{_HOMES}|\$(?:USER|LOGNAME|SLURM_JOB_ID|PBS_JOBID|LSB_JOBID|JOB_ID)\b)*"
)
# ^ from the root, by no variable that leads to where the command is run
_NO_FOLDERS = ("/proc/", "/dev/", "//")
# ^ /proc/self/cwd is a folder beside the config too
_PASSWORD = re.compile(r"(://[^/@\s:]*):[^/@\s]*@")
_SIGNATURE = re.compile(r"((?:sig|signature|token|secret|password|(?:\w*)key|credential)=)[^&;\s]+", re.IGNORECASE)


def rule_of_part(part: str, class_: str | None) -> Rule:
    """What holds for args (by their rows), kwargs, adapt or dask_config, where this class starts the cluster."""
    if part == "kwargs":
        return KEYWORDS.get(str(class_), _ANY_KEYWORDS)
    return {"args": _ROWS if class_ == "distributed.SSHCluster" else {}, "adapt": _ADAPT, "dask_config": _SETTINGS}[
        part
    ]


def unknown_in(value: Any, rule: Rule | None, path: KeyPath) -> Iterator[KeyPath]:
    """Where something stands that its rule does not allow; no rule allows nothing."""
    if rule is None:
        yield path
    elif rule is Kind.FLAGS:
        yield from () if isinstance(value, list) and all(map(_is_harmless_flag, value)) else (path,)
    elif isinstance(value, list):
        for row, inner in enumerate(value):
            yield from unknown_in(inner, rule, (*path, row))
    elif isinstance(value, dict):
        for key, inner in value.items():
            is_name = isinstance(rule, Mapping) or _PLAIN.fullmatch(str(key))
            yield from unknown_in(inner, rule_of(rule, str(key)) if is_name else None, (*path, key))
    elif isinstance(value, str) and not _allows(rule, value):
        yield path


def without_secrets(text: str) -> str:
    """The text with MASK in the place of a password in a URL, of a signature or a key in a query or the like."""
    return _SIGNATURE.sub(rf"\1{MASK}", _PASSWORD.sub(rf"\1:{MASK}@", text))


def rule_of(rule: Rule | None, key: str) -> Rule | None:
    """What holds for a key below; dotted ones lead further down, and - and _ are one, as they are to Dask."""
    for step in key.split("."):
        if isinstance(rule, Mapping):
            rule = rule.get(step.replace("_", "-"))
        elif rule not in (Kind.PLAIN, Kind.TEXT):
            return None
    return rule


def _allows(rule: Rule, text: str) -> bool:
    if rule in (Kind.TEXT, Kind.SECRET):
        return True
    if rule is Kind.WORD:
        return _WORD.fullmatch(text) is not None
    if rule is Kind.FOLDER and (not _FOLDER.fullmatch(text) or posixpath.normpath(text).startswith(_NO_FOLDERS)):
        return False
    return isinstance(rule, Kind) and _PLAIN.fullmatch(text) is not None


def _is_harmless_flag(given: Any) -> bool:
    name, _, value = str(given).partition("=")
    return _allows(Kind.PLAIN, value) and (name in _FLAGS if name.startswith("-") else _allows(Kind.PLAIN, name))
