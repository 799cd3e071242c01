"""Processes of this Python that do a part of the work: how one is started, and how one ends itself that is stuck."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def start_child(module: str, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """A process that runs one of flatpipe's modules, with a pipe from its stdout; raises OSError when none starts.

    It imports from where PYTHONPATH says and from nowhere else: the current folder may hold somebody's `numpy.py`.
    """
    return subprocess.Popen(  # noqa: S603 - this Python, and words of ours
        [sys.executable, "-P", "-m", module, *words],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *_python_path()])},
        start_new_session=True,
        # ^ Ctrl-C is for this process, which ends them
    )


@contextlib.contextmanager
def watchdog(seconds: float | None) -> Iterator[None]:
    """End this process if the block takes longer: nothing else stops a decoder that is stuck in C.

    The interpreter's own watchdog thread does it, because it needs no lock that a stuck decoder may hold. With None
    there is no limit; `call_off` ends it early.
    """
    if seconds is None:
        yield
        return
    with open(os.devnull, "w") as silence:  # noqa: PTH123
        faulthandler.dump_traceback_later(seconds, exit=True, file=silence)
        try:
            yield
        finally:
            call_off()


def call_off() -> None:
    """Let the block of a watchdog take as long as it likes."""
    faulthandler.cancel_dump_traceback_later()


def _python_path() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
