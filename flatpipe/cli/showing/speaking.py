"""The one door to stdout and stderr: no name or message moves the cursor, and a stream that fails is told."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import IO, Any, NoReturn, TextIO, TypeVar, cast

from flatpipe.errors import StdoutLost
from flatpipe.stop import is_work_left
from flatpipe.text import printable_lines

T = TypeVar("T")


def say(text: str) -> None:
    """Write text of one or more lines to stdout, at once."""
    write_line(printable_lines(text))


def write_line(line: str) -> None:
    """Write a line to stdout as it is, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def remark(text: str) -> None:
    """Write text of one or more lines to stderr; where it cannot be read, nothing is lost."""
    stream = patient_stderr()
    stream.write(f"{printable_lines(text)}\n")
    stream.flush()


def patient_stderr() -> TextIO:
    """The stderr of now as a stream that never fails: a terminal that is gone ends no work."""
    return cast(TextIO, _Patient(sys.stderr))


def prepare_streams() -> None:
    """Make stdout raise StdoutLost where it fails, and put nothing in the place of streams that are closed (`>&-`).

    A file opened later would get the number of such a stream, and with it whatever a library prints.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _open_if_closed(number)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.dup(number), "w" if number else "r", encoding="utf-8"))
    sys.stdout = cast(TextIO, _Telling(sys.stdout))


def end_process(exit_code: int) -> NoReturn:
    """End this process, also while threads are at work that nobody waits for any more: Python itself would wait."""
    if is_work_left():
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, StdoutLost):
                stream.flush()
        os._exit(exit_code)
    sys.exit(exit_code)


def _send_nowhere(stream: IO[str]) -> None:
    """Turn a stream that has failed: what is left in its buffer must not fail again when the interpreter ends."""
    with contextlib.suppress(OSError, ValueError):
        # ^ a stream of a test has no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _open_if_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)


class _Telling:
    """A stream whose failure is a StdoutLost: click takes a broken pipe for an error of its own, and exits with 1."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lost: StdoutLost | None = None
        # ^ what every further writing raises again: click tries streams, and forgets what they raise

    def write(self, text: str) -> int:
        """Write a text; raises StdoutLost."""
        if self._lost is not None:
            raise self._lost
        return self._told(lambda: self._stream.write(text))

    def flush(self) -> None:
        """Write what is buffered; raises StdoutLost."""
        self._told(self._stream.flush)

    def _told(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except OSError as error:
            self._lost = StdoutLost(error)
            _send_nowhere(self._stream)
            raise self._lost from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Patient:
    """A stream whose failure is nobody's concern."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, if that can be."""
        self._tried(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, if that can be."""
        self._tried(self._stream.flush)

    def _tried(self, call: Callable[[], int | None]) -> None:
        try:
            call()
        except OSError:
            _send_nowhere(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
