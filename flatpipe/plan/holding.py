"""One run at a time, or parts of one beside each other: a lock on the ledger's folder while the process lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from flatpipe.errors import ConfigError, OutputHeld


def only_run(ledger_path: str) -> contextlib.AbstractContextManager[None]:
    """Hold the ledger's folder for this run; raises OutputHeld when another run, or a part, holds it, ConfigError."""
    return _held(ledger_path, fcntl.LOCK_EX)


def beside_parts(ledger_path: str) -> contextlib.AbstractContextManager[None]:
    """Hold the ledger's folder beside other parts; raises OutputHeld when a whole run holds it, ConfigError."""
    return _held(ledger_path, fcntl.LOCK_SH)


@contextlib.contextmanager
def _held(ledger_path: str, how: int) -> Iterator[None]:
    with _opened(ledger_path) as folder:
        try:
            fcntl.flock(folder, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputHeld(f"{Path(ledger_path).parent}: another flatpipe run is writing here") from None
        except OSError:
            # this file system has no locks: the user must take care that runs do not meet
            pass
        yield


def is_held(ledger_path: str) -> bool:
    """Whether a process holds the ledger's folder; True as well where the file system cannot tell."""
    with _opened(ledger_path) as folder:
        try:
            fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextlib.contextmanager
def _opened(ledger_path: str) -> Iterator[int]:
    try:
        folder = os.open(Path(ledger_path).parent, os.O_RDONLY)
    except OSError as error:
        words = f"the ledger's folder cannot be read: {error.strerror or error}"
        raise ConfigError(f"{Path(ledger_path).parent}: {words}") from error
    try:
        yield folder
    finally:
        os.close(folder)
