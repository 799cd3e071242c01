"""How much memory and how many cores this process may use: the machine's, or what its container leaves of them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

_MEMORY_FILES = ("memory.max", "memory.high", "memory.limit_in_bytes")
# ^ of cgroup v2, its limit and where it begins to slow down; of v1
_QUOTA_FILE, _QUOTA_FILES = "cpu.max", ("cpu.cfs_quota_us", "cpu.cfs_period_us")
# ^ microseconds of processor time, and in how many: in one file of cgroup v2, in two of v1
_UNIFIED = "unified"
# ^ where v2 is mounted beside v1


@cache
def memory_at_hand() -> int:
    """Bytes of memory that this process and its children may use in all."""
    return memory_within(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


@cache
def core_count() -> int:
    """Cores that this process and its children may keep busy."""
    return cores_within(_cores_of_process())


def memory_within(total: int, root: Path = Path("/")) -> int:
    """The least of `total` and the limits of all control groups that this process is in; `root` is that of files."""
    limits = [_number(folder / name) for folder in _groups("memory", root) for name in _MEMORY_FILES]
    return min([total, *(limit for limit in limits if limit)])


def cores_within(count: int, root: Path = Path("/")) -> int:
    """The least of `count` and the quotas of all control groups that this process is in, rounded up, at least 1."""
    quotas = [quota for folder in _groups("cpu", root) if (quota := _quota(folder)) is not None]
    return max(1, min([count, *map(math.ceil, quotas)]))


def _cores_of_process() -> int:
    if hasattr(os, "process_cpu_count"):
        # ^ Python 3.13; it knows PYTHON_CPU_COUNT too
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Folders of the groups that hold this process back, each with those that it lies in.

    Within a container the kernel may tell paths that are seen outside alone: what is not there is passed over, and the
    mount's own folder is always among them.
    """
    mounted = root / "sys" / "fs" / "cgroup"
    for controllers, path in _memberships(root):
        mounts = (mounted, mounted / _UNIFIED) if not controllers else _mounts_of(controllers, controller, mounted)
        for mount in mounts:
            inner = PurePosixPath(path.lstrip("/"))
            yield from (mount / folder for folder in (inner, *inner.parents) if ".." not in folder.parts)


def _memberships(root: Path) -> Iterator[tuple[Sequence[str], str]]:
    """Controllers and path of each line of /proc/self/cgroup; no controllers: version 2."""
    try:
        lines = (root / "proc" / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, names, path = line.split(":", 2)
        yield [name for name in names.split(",") if name], path


def _mounts_of(controllers: Sequence[str], wanted: str, mounted: Path) -> tuple[Path, ...]:
    """Where version 1 mounts a group of controllers: by one name, or by all of them in either order."""
    if wanted not in controllers:
        return ()
    return (mounted / wanted, mounted / ",".join(controllers), mounted / ",".join(reversed(controllers)))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        # ^ ValueError: "max"
        return None


def _quota(folder: Path) -> float | None:
    """Cores that a group may keep busy; None: as many as there are."""
    quota, period = (_number(folder / name) for name in _QUOTA_FILES)
    try:
        text = (folder / _QUOTA_FILE).read_text().split()
        quota, period = int(text[0]), int(text[1])
    except (OSError, ValueError, IndexError):
        pass
    return quota / period if quota and period and quota > 0 else None
