"""Compiling the kernels, once for each machine: in child processes that share the work over the cores, in sight."""

from __future__ import annotations

import fcntl
import os
import selectors
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import repeat
from pathlib import Path
from typing import IO

from flatpipe.errors import RunGivenUp
from flatpipe.stop import StopRequest
from flatpipe.system.child import start_child
from flatpipe.system.machine import core_count
from flatpipe.work.kernels import keeping, missing_parts

_LOOK_SECONDS = 0.1
# ^ between looks at the request to stop

Progress = Callable[[int, int], None]
# ^ told of how many parts are done, and of how many there are


def compile_kernels(tell: Progress, stop: StopRequest, note: Callable[[str], None] | None = None) -> None:
    """Compile what is not in the cache yet; raises RunGivenUp when the run is stopped meanwhile.

    A child that fails is no failure here: what it has not compiled is compiled where it is needed. `note` is told when
    what is compiled now cannot be kept for good; where it cannot be kept at all, nothing is compiled beforehand.
    """
    parts = missing_parts()
    if not parts:
        return
    kept = keeping()
    if kept.words and note is not None:
        note(kept.words)
    if not kept.is_possible:
        return
    tell(0, len(parts))
    with _children(parts) as children:
        for done, _ in enumerate(_ended_lines(children, stop), 1):
            tell(done, len(parts))


def compile_kernels_here() -> None:
    """Compile what is not in this machine's cache yet; of workers that start at once, one does and the others wait."""
    if not missing_parts():
        return
    with _alone():
        compile_kernels(_untold, StopRequest())


def _untold(done: int, total: int) -> None:
    """Tell nobody."""


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock that one process of this machine and user can have; where there is none to be had, go on without."""
    path = Path(tempfile.gettempdir()) / f"flatpipe-compiling-{os.getuid()}.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):
            if os.fstat(lock).st_uid == os.getuid():
                # ^ a file that another user made first is theirs to hold for ever
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def _children(parts: Sequence[str]) -> Iterator[list[IO[bytes]]]:
    """What some processes that compile the parts print; whatever happens, they are gone at the end."""
    count = min(core_count(), len(parts))
    with ExitStack() as stack:
        outputs = []
        for child in range(count):
            process = start_child("flatpipe.work.kernels", *parts[child::count])
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            outputs.append(stack.enter_context(process.stdout))
        yield outputs


def _ended_lines(outputs: Sequence[IO[bytes]], stop: StopRequest) -> Iterator[None]:
    """One item for each line that a child has printed, as they come, until all children have ended."""
    with selectors.DefaultSelector() as selector:
        for output in outputs:
            selector.register(output, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(_LOOK_SECONDS):
                content = os.read(key.fd, 4096)
                if not content:
                    selector.unregister(key.fileobj)
                yield from repeat(None, content.count(b"\n"))
            if stop:
                raise RunGivenUp("stopped while kernels were compiled; run again to go on")
