"""glibc's malloc in worker processes: freed memory is kept for the next image."""

from __future__ import annotations

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
# ^ M_TRIM_THRESHOLD and M_MMAP_THRESHOLD in malloc.h
_KEPT_BYTES = 64 << 20
_MAPPED_BYTES = 16 << 20
# ^ arrays below it come from the heap


def keep_freed_memory() -> None:
    """Stop malloc from giving every array back to the system; does nothing where malloc is not glibc's.

    Dask's nanny sets MALLOC_TRIM_THRESHOLD_, and that makes malloc map and unmap every array above 128 kB: a fifth of
    the time that a thumbnail takes is then spent in page faults.
    """
    with contextlib.suppress(OSError, AttributeError):
        # ^ no C library of that name, or one without mallopt
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_MMAP_THRESHOLD, _MAPPED_BYTES)
