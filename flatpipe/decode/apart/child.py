"""The process that decodes for another: requests on stdin, what became of each on stdout, pickled.

`python -m flatpipe.decode.apart.child`, started and talked to by `decode/apart/decoding.py`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import select
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from flatpipe.decode.decode import DecodedImage, decode
from flatpipe.errors import ExitCode, ImageError
from flatpipe.settings import DecodePolicy
from flatpipe.system.child import watchdog

IDLE_SECONDS = 20.0
# ^ without a request, after which the process ends: nobody has to remember it


@dataclass(frozen=True, slots=True)
class Request:
    """One file to decode, and how long that may take; what comes back is a DecodedImage or an ImageError."""

    content: bytes
    policy: DecodePolicy
    frame: int
    seconds: float | None


def main() -> None:
    """Say that the process is there, then answer requests until none comes any more."""
    threading.Thread(target=_end_when_left, daemon=True).start()
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
    while select.select([0], [], [], IDLE_SECONDS)[0]:
        try:
            request = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
        except EOFError:
            return
        with watchdog(request.seconds), _ended_with_parent():
            answer = _answer(request)
        pickle.dump(answer, sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()


def _answer(request: Request) -> DecodedImage | ImageError:
    try:
        return decode(request.content, request.policy, request.frame)
    except ImageError as error:
        return error
    except Exception as error:  # noqa: BLE001 - the boundary of this process
        return ImageError(f"{type(error).__name__}: {error}")


def _end_when_left() -> None:
    """End this process when nobody can send a request any more: where the system has no SIGIO for pipes."""
    poll = select.poll()
    poll.register(0, 0)
    # ^ 0: told of nothing but that the other end is closed
    poll.poll()
    os._exit(ExitCode.GIVEN_UP)


@contextlib.contextmanager
def _ended_with_parent() -> Iterator[None]:
    """End this process when the one that wants the answer ends during the body.

    While stdin is asynchronous, the system sends SIGIO, which ends a process, when its other end is closed; nothing is
    written to it before the answer has come.
    """
    flags = fcntl.fcntl(0, fcntl.F_GETFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:
        sys.exit(ExitCode.GIVEN_UP)
        # ^ it was closed before
    try:
        yield
    finally:
        fcntl.fcntl(0, fcntl.F_SETFL, flags)


if __name__ == "__main__":
    main()
