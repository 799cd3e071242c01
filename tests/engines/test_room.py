"""Images that are large for the memory there is: done, fewer at once, or refused with the numbers; never a stall."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from commands import Project
from PIL import Image

from flatpipe.config import load_config
from flatpipe.engines import room
from flatpipe.errors import ConfigError
from flatpipe.plan import settings

_V1 = Path("/sys/fs/cgroup/memory")
_V2 = Path("/sys/fs/cgroup")


def photo(path: Path, width: int, height: int, seed: int) -> None:
    """A JPEG of that size with soft areas and some noise: some hundred thousand colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (24, 32, 3), np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    small.save(path, quality=90)


@contextlib.contextmanager
def memory_group(limit: int) -> Iterator[Path]:
    """The file that a process writes itself into to have `limit` bytes of memory; skips where that is not allowed."""
    version_2 = (_V2 / "cgroup.controllers").exists()
    group = (_V2 if version_2 else _V1) / f"flatpipe-{uuid.uuid4().hex}"
    try:
        group.mkdir()
        (group / ("memory.max" if version_2 else "memory.limit_in_bytes")).write_text(str(limit))
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield group / "cgroup.procs"
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


def run_within(project: Project, limit: int) -> subprocess.CompletedProcess[str]:
    """`flatpipe run` in a container with so much memory."""
    with memory_group(limit) as group:
        command = f"echo $$ > {group} && exec {sys.executable} -m flatpipe run"
        return subprocess.run(
            ["sh", "-c", command], cwd=project.folder, capture_output=True, text=True, check=False, timeout=280
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="control groups want root")
def test_a_container_has_the_memory_that_it_has(tmp_path: Path) -> None:
    """Six photographs of 16 megapixels in 1 GiB, all settings left open: fewer at once than cores, all done."""
    project = Project.make(tmp_path, images=0, execution={}, flatten={"k": [2, 8]})
    for number in range(6):
        photo(project.folder / "photos" / f"{number}.jpg", 4000, 4000, number)
    done = run_within(project, 1 << 30)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 images done" in done.stdout


@pytest.mark.parametrize("limit", ["700 MiB", "512 MiB"])
def test_large_images_in_small_workers_never_stall(limit: str, tmp_path: Path) -> None:
    """Two photographs of 16 megapixels: each is done, or too large with the numbers."""
    project = Project.make(
        tmp_path,
        images=0,
        execution={"scheduler": "processes", "workers": 2},
        limits={"memory_per_worker": limit},
        flatten={"k": "2-6"},
    )
    for number in range(2):
        photo(project.folder / "photos" / f"{number}.jpg", 5000, 3200, number)
    done = project.flatpipe("run")
    failures = project.rows("failures.csv")

    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert {row["error"] for row in failures} <= {"too-large"}
    assert all("MB" in row["message"] for row in failures)


@pytest.mark.parametrize(
    ("scheduler", "workers", "little"),
    [("processes", 2, "128 MiB"), ("synchronous", 1, "112 MiB"), ("threads", 2, "64 MiB"), ("auto", 2, "64 MiB")],
)
def test_memory_that_holds_no_image_is_refused_at_once(
    scheduler: str, workers: int, little: str, tmp_path: Path
) -> None:
    """Too little memory_per_worker blames no image: the error names the least, and with that the run is done."""
    project = Project.make(tmp_path, images=2, execution={"scheduler": scheduler, "workers": workers})
    refused = project.flatpipe("run", "-s", f"limits.memory_per_worker={little}")
    least = re.search(r'the least that works is "(\d+ MiB)"', refused.stderr)

    assert refused.returncode == 2, refused.stderr
    assert f"limits.memory_per_worker is {little}" in refused.stderr
    assert least, refused.stderr
    assert not project.out.exists()
    done = project.flatpipe("run", "-s", f"limits.memory_per_worker={least[1]}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("execution", "has", "words"),
    [
        ({"scheduler": "processes", "workers": 4}, 400, 'has 100 MiB for each.*processes, 4 workers.*"176 MiB"'),
        ({"scheduler": "processes"}, 100, 'has 100 MiB, .*processes, 1 worker.*"176 MiB"'),
        ({}, 100, 'has 100 MiB, .*auto, 1 worker.*"152 MiB"'),
        ({"scheduler": "processes"}, 200, ""),
        ({"scheduler": "threads", "workers": 4}, 240, ""),
        ({"workers": 4}, 240, ""),
    ],
)
def test_a_container_that_holds_no_image_is_told(
    execution: dict[str, object], has: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a container leaves for each worker is judged as a limit of the config is, before any worker starts."""
    project = Project.make(tmp_path, images=1, execution=execution)
    monkeypatch.setattr(settings, "memory_at_hand", lambda: has << 20)
    monkeypatch.setattr(room, "core_count", lambda: 4)
    config = load_config(project.folder / "pipeline.yaml")
    if not words:
        room.check_memory(config)
        return
    with pytest.raises(ConfigError, match=words):
        room.check_memory(config)
