"""What can go wrong, as classes: each run-level error owns its exit code, each image-level one its `error` word."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """What the command's exit code says, with its meaning in words; a RunSummary has the same."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """The number, with what it means."""
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    DONE = 0, "everything asked for is there and right (also: nothing to do)"
    SOME_FAILED = 1, "finished, but some images failed"
    USAGE = 2, "usage or config error; nothing was done"
    GIVEN_UP = 3, "given up: failure limit, disk full, cluster lost, another run at work"
    DIFFERENT = 4, "`verify`, `diff`: differences; `merge`: parts to do; a run: lock missed"
    HUNG_UP = 129, "stopped by SIGHUP, as when a terminal closes; run again to go on"
    INTERRUPTED = 130, "stopped by Ctrl-C; run again to go on"
    BROKEN_PIPE = 141, "whoever read the output has left"
    TERMINATED = 143, "stopped by SIGTERM; run again to go on"
    # ^ beyond 128: what a shell says of a program that signal 1, 2, 13 or 15 ended

    __repr__ = int.__repr__
    # ^ a plain number to whoever prints a summary


class FlatpipeError(Exception):
    """Base of everything flatpipe raises on purpose; the message is one clear sentence for the user."""

    exit_code = ExitCode.GIVEN_UP


class ConfigError(FlatpipeError):
    """The config, or a command's argument, asks for something that cannot be; nothing was done."""

    exit_code = ExitCode.USAGE


class RunGivenUp(FlatpipeError):
    """The run stopped before its end: failure limit, disk full, cluster lost. What is done is recorded."""

    exit_code = ExitCode.GIVEN_UP


class OutputHeld(RunGivenUp):
    """Another run is writing to the output; nothing was done, and it may be free soon."""


class StdoutLost(RunGivenUp):
    """Results cannot be written to stdout any more. What is done is recorded; a reader who left needs no sentence."""

    def __init__(self, reason: OSError) -> None:
        self.has_left = isinstance(reason, BrokenPipeError)
        words = "whoever read the output has left" if self.has_left else f"stdout cannot be written: {reason.strerror}"
        super().__init__(words)
        self.exit_code = ExitCode.BROKEN_PIPE if self.has_left else ExitCode.GIVEN_UP


class ImageError(FlatpipeError):
    """One image cannot be flattened. `error` is the stable word that stands in failures.csv."""

    error = "internal-error"


class NotAnImage(ImageError):
    """The file's content is of no image format that we read."""

    error = "not-an-image"


class TruncatedImage(ImageError):
    """The file ends before its image does."""

    error = "truncated"


class ImageTooLarge(ImageError):
    """Decoding would exceed `limits.max_pixels` or the worker's share of memory."""

    error = "too-large"


class UnsupportedImage(ImageError):
    """A real image, in a format or variant that we do not read."""

    error = "unsupported"


class DecoderFailed(ImageError):
    """The decoder gave up: the content is damaged."""

    error = "decoder-error"


class ImageIOFailed(ImageError):
    """The file could not be read, or an output could not be written."""

    error = "io-error"


class ImageTimedOut(ImageError):
    """Reading and decoding took longer than `limits.seconds_per_image`."""

    error = "timeout"

    def __init__(self, seconds: float) -> None:
        limit = f"limits.seconds_per_image ({seconds:g} s)"
        super().__init__(f"reading and decoding it took longer than {limit}; it was left")


class WorkerDied(ImageError):
    """The worker process ended while it worked on this image, more often than allowed."""

    error = "worker-died"
