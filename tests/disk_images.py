"""File systems in files, for tests: small ones that fill up, and ones whose power can be cut. Only root makes them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_GOING_DOWN = 0x8004587D
# ^ EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN, as xfstests use them: from now on nothing reaches the disk
_NO_LOG_FLUSH = 2
KINDS = {
    "ext4": (["mkfs.ext4", "-q", "-F"], ""),
    "ext4-writeback": (["mkfs.ext4", "-q", "-F"], "data=writeback"),
    "xfs": (["mkfs.xfs", "-q", "-f"], "nouuid"),
}
# ^ how each is made, and mounted


@dataclass(frozen=True)
class DiskImage:
    """A file system in a file, mounted at `folder`."""

    file: Path
    folder: Path
    options: str

    @classmethod
    @contextlib.contextmanager
    def made(cls, place: Path, kind: str, megabytes: int) -> Iterator[DiskImage]:
        """A fresh one, mounted as long as the context lasts; skips the test where that cannot be."""
        command, options = KINDS[kind]
        if os.getuid() or shutil.which(command[0]) is None or not Path("/dev/loop-control").exists():
            pytest.skip(f"needs root, loop devices and {command[0]}")
        disk = cls(place / f"{kind}.disk", place / kind, options)
        disk.folder.mkdir(parents=True)
        with disk.file.open("wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run([*command, str(disk.file)], check=True, capture_output=True)
        try:
            disk.mount()
        except subprocess.CalledProcessError:
            pytest.skip(f"no {kind} may be mounted here")
        try:
            yield disk
        finally:
            disk.unmount()
            disk.file.unlink()

    def mount(self) -> None:
        """Mount it; a journal is replayed."""
        options = ",".join(filter(None, ["loop", self.options]))
        subprocess.run(["mount", "-o", options, str(self.file), str(self.folder)], check=True)

    def unmount(self) -> None:
        """Unmount it, and wait for that."""
        subprocess.run(["umount", str(self.folder)], check=True)

    def cut_power(self) -> None:
        """Lose all that the disk has not yet, as in a power cut, and start the file system again."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _GOING_DOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)
        self.unmount()
        after = self.file.with_suffix(".after")
        subprocess.run(["cp", "--sparse=always", str(self.file), str(after)], check=True)
        after.replace(self.file)
        # ^ a mount namespace of some other process may still have the file system mounted, and keep it shut down
        self.mount()


@contextlib.contextmanager
def exfat_disk(place: Path, megabytes: int = 64) -> Iterator[Path]:
    """The folder of a file system that takes A.png for a.png, and refuses what?.png; skips where it cannot be."""
    if os.getuid() or not (shutil.which("mkfs.exfat") and shutil.which("mount.exfat-fuse")):
        pytest.skip("needs root, mkfs.exfat (exfatprogs) and mount.exfat-fuse (exfat-fuse)")
    if not (Path("/dev/fuse").exists() and Path("/dev/loop-control").exists()):
        pytest.skip("needs FUSE and loop devices")
    file, folder = place / "exfat.disk", place / "exfat"
    folder.mkdir(parents=True)
    with file.open("wb") as content:
        content.truncate(megabytes << 20)
    subprocess.run(["mkfs.exfat", str(file)], check=True, capture_output=True)
    attached = subprocess.run(["losetup", "-f", "--show", str(file)], check=False, capture_output=True, text=True)
    if attached.returncode:
        pytest.skip("no loop device may be used here")
    device = attached.stdout.strip()
    try:
        if subprocess.run(["mount.exfat-fuse", device, str(folder)], check=False, capture_output=True).returncode:
            pytest.skip("no exFAT may be mounted here")
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        subprocess.run(["losetup", "-d", device], check=True)
        file.unlink()


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of that size in memory, mounted at a new folder; skips where that cannot be."""
    if os.getuid() or shutil.which("mount") is None:
        pytest.skip("only root can mount a file system")
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
