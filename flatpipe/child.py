"""Processes of this Python that do a part of the work: started here, and ended by whoever started them."""

from __future__ import annotations

import os
import subprocess
import sys
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


def _python_path() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
