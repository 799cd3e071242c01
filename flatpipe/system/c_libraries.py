"""C libraries kept off the screen: libtiff reports every damaged file on the process's standard error."""

from __future__ import annotations

import logging
import os
import sys


def silence_c_libraries() -> None:
    """Send what C code writes to file descriptor 2 nowhere, while Python's stderr and its log handlers keep the screen.

    Meant to be called once, when a process starts: a redirection around each decode would race with other threads.
    Does nothing where sys.stderr is not descriptor 2 (captured, closed, or silenced already).
    """
    screen = sys.stderr
    try:
        if screen.fileno() != 2:
            return
    except (AttributeError, OSError, ValueError):
        return
    screen.flush()
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=screen.encoding, errors=screen.errors)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    for name in ("", *logging.root.manager.loggerDict):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is screen:
                handler.setStream(sys.stderr)
