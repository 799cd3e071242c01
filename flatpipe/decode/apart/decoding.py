"""One file's decoding: here, or in a process of its own where it may take long. It can be ended from elsewhere."""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from flatpipe.decode.apart.child import Request
from flatpipe.decode.apart.effort import Patience, TakesLong
from flatpipe.decode.decode import DecodedImage, decode
from flatpipe.errors import DecoderFailed, ImageError, ImageTimedOut
from flatpipe.settings import DecodePolicy
from flatpipe.system.child import start_child

_CHILD = "flatpipe.decode.apart.child"
_MOST_SECONDS_HERE = 5.0
# ^ a process costs a fifth of a second once, and a hundredth for 10 megapixels


class _ChildGone(Exception):
    """The process ended without an answer."""


class _Child:
    """A process that decodes for this one, one file at a time."""

    def __init__(self) -> None:
        self._process = start_child(_CHILD, stdin=subprocess.PIPE)

    @property
    def is_usable(self) -> bool:
        """Whether it waits for a request: it may have ended, after being idle for long."""
        return self._process.poll() is None

    def is_there(self) -> bool:
        """Wait for it to come up; whether it did."""
        assert self._process.stdout is not None
        return self._process.stdout.read(1) == b"\n"

    def answer(self, request: Request) -> DecodedImage | ImageError:
        """What became of a request; raises _ChildGone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(request, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
            answer: DecodedImage | ImageError = pickle.load(self._process.stdout)  # noqa: S301 - of our own process
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise _ChildGone from error
        return answer

    def kill(self) -> None:
        """End it, from whatever thread; the one that waits for its answer goes on."""
        self._process.kill()

    def close(self) -> int:
        """Let go of it, once it has ended or was killed; its exit code, negative where a signal ended it."""
        with contextlib.ExitStack() as stack:
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None
                stack.enter_context(contextlib.suppress(OSError))
                stack.callback(stream.close)
        return self._process.wait()


_idle: list[_Child] = []
# ^ taken and given back by whole operations of a list
os.register_at_fork(after_in_child=_idle.clear)
# ^ a process that is forked from this one has its own


class Decoding:
    """The decoding of one file; `end` may be called by another thread."""

    def __init__(
        self, seconds: float | None = None, *, has_company: bool = True, goes_apart: Callable[[], object] = bool
    ) -> None:
        self._seconds = seconds
        # ^ that it may take, which is obeyed where it is done apart; None: no limit
        self._here = Patience(min(seconds or _MOST_SECONDS_HERE, _MOST_SECONDS_HERE), has_company)
        self._goes_apart = goes_apart
        # ^ called when another process takes over
        self._child: _Child | None = None
        self._is_ended, self._lock = False, threading.Lock()

    def decode(self, content: bytes, policy: DecodePolicy, frame: int = 0) -> DecodedImage:
        """Decode one frame (0-based) as decode.decode does; raises ImageError, and ImageTimedOut when done apart."""
        try:
            return decode(content, policy, frame, self._here)
        except TakesLong:
            answer = self._answer(Request(content, policy, frame, self._seconds))
        if isinstance(answer, ImageError):
            raise answer
        return answer

    def end(self) -> None:
        """End the process that decodes, if one does: nobody waits for its answer any more."""
        with self._lock:
            self._is_ended = True
            if self._child is not None:
                self._child.kill()

    def _answer(self, request: Request) -> DecodedImage | ImageError:
        """What became of a request in another process; where none can be started, it is done here."""
        while (child := self._taken()) is not None:
            self._goes_apart()
            began = time.monotonic()
            try:
                answer = child.answer(request)
            except _ChildGone:
                if (code := child.close()) == 0:
                    # it had been idle for long enough, just then
                    continue
                return self._why_gone(code, time.monotonic() - began)
            except BaseException:
                child.kill()
                child.close()
                raise
            self._give_back(child)
            return answer
        return decode(request.content, request.policy, request.frame)

    def _taken(self) -> _Child | None:
        child = _idle_child() or _new_child()
        with self._lock:
            self._child = child
            if self._is_ended and child is not None:
                child.kill()
        return child

    def _give_back(self, child: _Child) -> None:
        with self._lock:
            self._child = None
            # ^ from here on it may be another's
        _idle.append(child)

    def _why_gone(self, code: int, seconds: float) -> ImageError:
        if self._seconds is not None and seconds >= self._seconds:
            return ImageTimedOut(self._seconds)
        if code == -signal.SIGKILL:
            return DecoderFailed("the process that decoded it was killed, as happens when memory runs out")
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return DecoderFailed(f"its decoder crashed ({name})")


def _idle_child() -> _Child | None:
    with contextlib.suppress(IndexError):
        while True:
            child = _idle.pop()
            if child.is_usable:
                return child
            child.close()
    return None


def _new_child() -> _Child | None:
    """A process that is ready; None where there can be none."""
    if getattr(sys, "frozen", False):
        # ^ a program in one file is no Python that could be asked for a module
        return None
    try:
        child = _Child()
    except OSError:
        return None
    if child.is_there():
        return child
    child.kill()
    child.close()
    return None


@atexit.register
def _end_idle() -> None:
    while (child := _idle_child()) is not None:
        child.kill()
        child.close()
