"""What the kernel knows of the disk below a path: whether it is this machine's own, and has what was written."""

from __future__ import annotations

import ctypes
import os
import sys

_OWN = {
    *(0xEF53, 0x58465342, 0x9123683E, 0x2FC12FC1, 0xF2F52010, 0xCA451A4E),  # ext, xfs, btrfs, zfs, f2fs, bcachefs
    *(0x01021994, 0x858458F6, 0x794C7630),  # tmpfs, ramfs, overlay
    *(0x52654973, 0x3153464A, 0x4D44, 0x2011BAB0),  # reiserfs, jfs, vfat, exfat
}
# ^ statfs(2), f_type: kernels that share a file see one memory there. All others count as shared between machines


def settle(folder: str) -> None:
    """Return when all that was written to the folder's file system lies on its disk, names included; raises OSError.

    That is syncfs(2), and sync(2) where there is none. Of a network's file system it is what this machine has written.
    """
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), folder)
    finally:
        os.close(descriptor)


def is_own_disk(path: str) -> bool:
    """Whether a path that is there surely lies on a disk of this machine alone, rather than on a network's."""
    if sys.platform != "linux":
        return False
    status = (ctypes.c_long * 64)()
    # ^ struct statfs, whose first word is f_type, with room to spare
    failed = ctypes.CDLL(None).statfs(os.fsencode(path), status)
    return not failed and status[0] & 0xFFFFFFFF in _OWN
