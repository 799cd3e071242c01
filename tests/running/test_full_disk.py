"""Full disks of many sizes: each run that meets one is given up in a sentence, and goes on once there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import Project
from disk_images import small_disk

FUZZ = int(os.environ.get("FLATPIPE_FUZZ", "0")) > 0
SHARES = {"output": range(40), "state": range(0, 40, 2)} if FUZZ else {"output": (1, 20, 39), "state": (24,)}
# ^ fortieths of the room that a run takes: from none for a ledger to enough for all but the last file. On the small
#   disk lies all, or the ledger alone
LEAST, ROOM = 12, 64 << 10
# ^ kB: a folder and a little; more than is needed


@dataclass(frozen=True)
class Full:
    """A project whose outputs or ledger lie on a disk of some size."""

    project: Project
    place: str
    folder: Path

    @property
    def out(self) -> Path:
        """The outputs, below the project."""
        return self.folder / "out" if self.place == "output" else self.folder.with_name(f"beside-{self.folder.name}")

    def flatpipe(self, command: str) -> subprocess.CompletedProcess[str]:
        """What a command said of them."""
        arguments = ["-s", f"output.path={self.out}"]
        arguments += ["-s", f"execution.state_path={self.folder}/state"] if self.place == "state" else []
        return self.project.flatpipe(command, *arguments)


@contextmanager
def disk(project: Project, place: str, kilobytes: int) -> Iterator[Full]:
    """Such a disk, mounted."""
    with small_disk(project.folder / f"{place}-{kilobytes}", kilobytes) as folder:
        yield Full(project, place, folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four images, with their outputs as a run with room makes them."""
    project = Project.make(tmp_path_factory.mktemp("full"), images=4)
    assert project.flatpipe("run").returncode == 0
    return project


@pytest.fixture(scope="module")
def needed(project: Project) -> dict[str, int]:
    """The kB that a finished run takes of the small disk, by what lies there."""
    taken = {}
    for place in SHARES:
        with disk(project, place, ROOM) as full:
            assert full.flatpipe("run").returncode == 0
            used = os.statvfs(full.folder)
            taken[place] = (used.f_blocks - used.f_bfree) * used.f_frsize >> 10
    return taken


@pytest.mark.parametrize(("place", "share"), [(place, share) for place in SHARES for share in SHARES[place]])
def test_fuzz_a_full_disk_is_one_sentence_and_a_run_with_room_goes_on(
    place: str, share: int, project: Project, needed: dict[str, int]
) -> None:
    """Exit 3 and no traceback, at whatever stage the disk is full; with room, the bytes of an undisturbed run."""
    size = LEAST + share * (needed[place] - LEAST) // 40
    with disk(project, place, size) as full:
        stopped, status = full.flatpipe("run"), full.flatpipe("status")
        subprocess.run(["mount", "-o", f"remount,size={ROOM}k", str(full.folder)], check=True)
        again, verified = full.flatpipe("run"), full.flatpipe("verify")
        made = project.digests(str(full.out.relative_to(project.folder)))
    told = stopped.stdout + stopped.stderr

    assert stopped.returncode == 3, told
    assert told.count("disk is full") + told.count("No space left on device") == 1
    assert "Traceback" not in told + status.stdout + status.stderr
    assert status.returncode in (0, 2, 3)
    assert (again.returncode, verified.returncode) == (0, 0), again.stderr + verified.stdout
    assert made == project.digests()
