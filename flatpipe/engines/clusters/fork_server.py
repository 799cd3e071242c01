"""A fork server for this machine's worker processes: one process imports everything, workers are forked from it.

A worker is there in a tenth of a second then, instead of two, and shares the memory of libraries and kernels.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing import forkserver, spawn, util
from typing import Any

import dask

from flatpipe.engines.clusters.quiet import restore

_PRELOAD = "flatpipe.engines.clusters.preload"
_WORKER = "Dask Worker process (from Nanny)"
# ^ what Dask's nannies call the processes that they start
_LONGEST_FOLDER = 104 - len("/pymp-12345678/listener-12345678")
# ^ bytes of a folder in which the server's socket has a name that macOS, and Linux with four more, can bind
_SHORT_FOLDERS = ("/tmp", "/var/tmp")  # noqa: S108 - in it a folder of our own is made
FORK_SERVER_SETTINGS = {"distributed.worker.multiprocessing-method": "forkserver"}


@contextlib.contextmanager
def fork_server() -> Iterator[None]:
    """While open, Dask's nannies start their workers from a fork server, which starts at once and goes on importing.

    The workers do not import the caller's main module: a program without an `if __name__ == "__main__"` would run again
    in each of them. Environment variables that Dask wants set before libraries load are set.
    """
    os.environ.update({name: str(value) for name, value in _before_spawn().items()})
    forkserver.set_forkserver_preload([_PRELOAD])
    _choose_folder()
    with _held_back(signal.SIGINT), _imports_as_here():
        forkserver.ensure_running()
    with _without_callers_main():
        yield


def _choose_folder() -> None:
    """Have multiprocessing keep its sockets where their paths are short enough, should TMPDIR be a long one."""
    before = tempfile.gettempdir()
    if len(os.fsencode(before)) <= _LONGEST_FOLDER:
        return
    tempfile.tempdir = next((folder for folder in _SHORT_FOLDERS if os.access(folder, os.W_OK | os.X_OK)), before)
    try:
        util.get_temp_dir()
        # ^ made now, and kept for as long as this process lives
    finally:
        tempfile.tempdir = before


def _before_spawn() -> dict[str, Any]:
    return dict(dask.config.get("distributed.nanny.pre-spawn-environ", {}))


@contextlib.contextmanager
def _held_back(number: signal.Signals) -> Iterator[None]:
    """Hold a signal back: it arrives here afterwards, and never at a child that starts meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _imports_as_here() -> Iterator[None]:
    """Let a Python that starts meanwhile import from where this process does, and from nowhere else.

    multiprocessing starts its fork server by `python -c`, which looks into the current folder first: it may be one of
    downloaded photographs, with a `distributed.py` among them.
    """
    folders = map(os.path.abspath, sys.path)
    # ^ "" stands for the current folder
    ours = {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(folders)}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        restore(before)


@contextlib.contextmanager
def _without_callers_main() -> Iterator[None]:
    original = spawn.get_preparation_data

    def prepared(name: str) -> dict[str, Any]:
        data = original(name)
        if name == _WORKER:
            data.pop("init_main_from_name", None)
            data.pop("init_main_from_path", None)
        return data

    spawn.get_preparation_data = prepared
    try:
        yield
    finally:
        spawn.get_preparation_data = original
