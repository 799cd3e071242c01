"""Keeping Dask's log and environment variables away from the user."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping

import dask

_LOGGERS = ("distributed", "dask_jobqueue", "asyncssh", "asyncio", "tornado", "bokeh")


class LastWords(logging.Handler):
    """Keeps the last warning instead of printing it: it may explain why no worker comes."""

    last = ""

    @property
    def told(self) -> str:
        """The words at the end of a sentence; "" without any."""
        return f"; Dask said: {self.last}" if self.last else ""

    def emit(self, record: logging.LogRecord) -> None:
        """Remember the record's first line, or the error that it tells of."""
        error = record.exc_info[1] if record.exc_info else None
        said = record.getMessage() if error is None else first_cause(error)
        self.last = said.strip().partition("\n")[0][:300]


def first_cause(error: BaseException) -> str:
    """What went wrong at first, in words: Dask's own errors say no more than that something has."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}"


@contextlib.contextmanager
def quiet_logs() -> Iterator[LastWords]:
    """While open, Dask's log lines stay off the screen: what they tell is in our records and sentences."""
    words = LastWords(logging.WARNING)
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in _LOGGERS]
    loggers = [logging.getLogger(name) for name in {*known, *_LOGGERS}]
    before = [(logger, logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        is_root = logger.name in _LOGGERS
        logger.handlers, logger.propagate = [words] if is_root else [], not is_root
    try:
        yield words
    finally:
        for logger, handlers, propagate in before:
            logger.handlers, logger.propagate = handlers, propagate


@contextlib.contextmanager
def same_environment() -> Iterator[None]:
    """Take back the environment variables that Dask's nannies set in this process and leave behind.

    Whoever calls `flatpipe.run` from a program of his own would go on with one OpenMP thread and a fixed hash seed.
    """
    names = (*dask.config.get("distributed.nanny.pre-spawn-environ", {}), "PYTHONHASHSEED")
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        restore(before)


@contextlib.contextmanager
def safe_import_path() -> Iterator[None]:
    """While open, no Python that starts imports from the current folder, multiprocessing's own helpers included."""
    before = {"PYTHONSAFEPATH": os.environ.get("PYTHONSAFEPATH")}
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        restore(before)


def restore(environment: Mapping[str, str | None]) -> None:
    """Give environment variables back the values that they had; None: there was none."""
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
