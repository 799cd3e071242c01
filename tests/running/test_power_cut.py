"""Power cuts at random moments: what the ledger tells after one is there, byte for byte."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from commands import Project
from disk_images import KINDS, DiskImage
from PIL import Image
from waiting import wait_for

FUZZ = int(os.environ.get("FLATPIPE_FUZZ", "0")) > 0
CUTS = 10 if FUZZ else 1
# ^ of each kind of file system and place of the ledger: 60 with FLATPIPE_FUZZ
IMAGES = 300
PLACES = ("beside", "elsewhere") if FUZZ else ("elsewhere",)
# ^ of the ledger; elsewhere is a disk that loses nothing


@pytest.fixture(scope="module", params=KINDS)
def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DiskImage]:
    """A file system whose power can be cut."""
    with ExitStack() as stack:
        yield stack.enter_context(DiskImage.made(tmp_path_factory.mktemp("disk"), request.param, 320))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A folder for photographs."""
    return Project.make(tmp_path_factory.mktemp("cut"), images=0)


def _take_photographs(project: Project, version: int) -> None:
    """Write all photographs anew: other colours, so other outputs, whose files are as large as those of before."""
    for number in range(IMAGES):
        dark, light = random.Random(f"{version} {number}").choices(range(100), k=2)
        pixels = np.full((24, 32, 3), (dark, 7, number % 100), np.uint8)
        pixels[number % 20 :: 3] = (200, 150 + light, 250)
        Image.fromarray(pixels).save(project.folder / "photos" / f"{number:03d}.png")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("cut", range(CUTS))
def test_fuzz_a_power_cut_costs_work_and_no_truth(cut: int, place: str, disk: DiskImage, project: Project) -> None:
    """After a cut in the middle of new outputs over old ones, a run completes them and verify finds nothing wrong."""
    out = disk.folder / f"out-{place}"
    state = ["-s", f"execution.state_path={project.folder}/state-{disk.folder.name}"] if place == "elsewhere" else []
    arguments = ["-s", f"output.path={out}", *state, "-s", "report.stills=true"]
    if cut == 0:
        _take_photographs(project, -1)
        assert project.flatpipe("run", *arguments).returncode == 0
        os.sync()
    _take_photographs(project, cut)
    began, process = time.time(), project.start("run", *arguments)
    wait_for(lambda: _is_at_work(out, began) or process.poll() is not None)
    time.sleep(random.Random(f"{disk.folder.name} {place} {cut}").uniform(0.5, 4.5))
    _kill(process)
    disk.cut_power()
    resumed = project.flatpipe("run", *arguments)
    verified = project.flatpipe("verify", *arguments)

    assert resumed.returncode == 0, resumed.stderr
    assert (verified.returncode, "no differences" in verified.stdout) == (0, True), verified.stdout[-3000:]


def _is_at_work(out: Path, began: float) -> bool:
    """Whether the run has written the first of its new outputs."""
    return any(file.stat().st_mtime > began for file in (out / "images").glob("*/k02.png"))


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
