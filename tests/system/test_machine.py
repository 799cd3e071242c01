"""Memory and cores that a container leaves, read from trees of files as kernels show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from flatpipe.system.machine import core_count, cores_within, memory_at_hand, memory_within

GIB = 1 << 30
V2 = "sys/fs/cgroup"
_TREES: dict[str, tuple[dict[str, str], int, int]] = {
    "nothing": ({}, 8 * GIB, 8),
    "v2, own root": (
        {"proc/self/cgroup": "0::/\n", f"{V2}/memory.max": f"{GIB}\n", f"{V2}/cpu.max": "150000 100000\n"},
        GIB,
        2,
    ),
    "v2, no limit": (
        {"proc/self/cgroup": "0::/a\n", f"{V2}/a/memory.max": "max\n", f"{V2}/a/cpu.max": "max 100000\n"},
        8 * GIB,
        8,
    ),
    "v2, a parent's limit": (
        {
            "proc/self/cgroup": "0::/user.slice/job\n",
            "sys/fs/cgroup/user.slice/memory.max": f"{2 * GIB}\n",
            "sys/fs/cgroup/user.slice/job/memory.max": f"{3 * GIB}\n",
            "sys/fs/cgroup/user.slice/job/memory.high": "max\n",
            "sys/fs/cgroup/user.slice/cpu.max": "400000 100000\n",
        },
        2 * GIB,
        4,
    ),
    "v2, throttled before its limit": (
        {"proc/self/cgroup": "0::/j\n", f"{V2}/j/memory.high": f"{GIB}\n", f"{V2}/j/cpu.max": "1 100\n"},
        GIB,
        1,
    ),
    "v1": (
        {
            "proc/self/cgroup": "9:name=systemd:/\n4:memory:/docker/x\n2:cpu,cpuacct:/docker/x\n",
            "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": f"{GIB}\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us": "100000\n",
        },
        GIB,
        2,
    ),
    "v1, a path that is seen outside alone": (
        {
            "proc/self/cgroup": "4:memory:/docker/x\n2:cpu:/docker/x\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        GIB,
        8,
    ),
    "v2 beside v1": (
        {"proc/self/cgroup": "0::/j\n", "sys/fs/cgroup/unified/j/memory.max": f"{GIB}\n"},
        GIB,
        8,
    ),
    "a path out of the tree": ({"proc/self/cgroup": "0::/../j\n", "sys/fs/j/memory.max": "1\n"}, 8 * GIB, 8),
}  # fmt: skip


@pytest.mark.parametrize(("files", "memory", "cores"), _TREES.values(), ids=_TREES)
def test_the_least_limit_of_all_groups_counts(files: dict[str, str], memory: int, cores: int, tmp_path: Path) -> None:
    """Of a machine with 8 GiB and 8 cores, what the groups of both versions leave."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert memory_within(8 * GIB, tmp_path) == memory
    assert cores_within(8, tmp_path) == cores


def test_this_machine_has_some_of_both() -> None:
    """What is found here is plausible."""
    assert memory_at_hand() > 64 << 20
    assert core_count() >= 1
