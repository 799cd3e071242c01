"""A look-out for stalls: when nothing has come back for long, where everything stands is written down, once.

It ends nothing and waits for nobody: the image at hand may just be a huge one.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from flatpipe.engines.engine import EngineState
from flatpipe.running.run_log import now_in_words
from flatpipe.text import duration
from flatpipe.versions import __version__

_MOST_TOLD = 3
# ^ images that the sentence names
_MOST_CHARACTERS = 1 << 20
# ^ of one state: a hundred workers with twenty threads each
_MOST_STATES = 20
# ^ of one run: it may stall for a week


class _Engine(Protocol):
    @property
    def silent_seconds(self) -> float:
        """How long ago anything finished."""
        ...

    def state(self) -> EngineState:
        """Where everything stands."""
        ...


@contextlib.contextmanager
def stalls_told(
    seconds: float | None, engine: _Engine, keep: Callable[[str], Path], tell: Callable[[str], None]
) -> Iterator[None]:
    """Look out for stalls of so many seconds during the block; `keep` writes a state down and says where."""
    over = threading.Event()
    if seconds is not None:
        look_out = _LookOut(seconds, engine, keep, tell)
        threading.Thread(target=look_out.until, args=[over], name="flatpipe-stalls", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        # ^ a state that is being asked for is nobody's concern any more


class _LookOut:
    """Tells of each stall once."""

    def __init__(
        self, seconds: float, engine: _Engine, keep: Callable[[str], Path], tell: Callable[[str], None]
    ) -> None:
        self._seconds, self._engine, self._keep, self._tell = seconds, engine, keep, tell

    def until(self, over: threading.Event) -> None:
        """Look out until it is over."""
        told, pause, left = float("-inf"), self._seconds, _MOST_STATES
        while left and not over.wait(pause):
            silent, now = self._engine.silent_seconds, time.monotonic()
            if silent >= self._seconds and now - silent > told and not over.is_set():
                told, left = now, left - 1
                self._tell_state(silent, over)
            pause = self._seconds - silent if silent < self._seconds else self._seconds

    def _tell_state(self, silent: float, over: threading.Event) -> None:
        state = _state(self._engine)
        if over.is_set():
            return
        busy = sorted(state.busy.items(), key=lambda image: -image[1])
        lines = [f"{now_in_words()}: flatpipe {__version__}: nothing has come back for {silent:.0f} s"]
        lines += [f"at {image} for {seconds:.1f} s" for image, seconds in busy]
        at_work = "; ".join(f"{image} for {duration(seconds)}" for image, seconds in busy[:_MOST_TOLD])
        try:
            place = self._keep(_cut("\n".join([*lines, "", state.text])))
            where = f"where everything stands: {place}"
        except OSError as error:
            where = f"where everything stands cannot be written down: {error.strerror or error}"
        self._tell(f"nothing has come back for {duration(silent)}, at work: {at_work or 'nobody knows'}; {where}")


def _state(engine: _Engine) -> EngineState:
    try:
        return engine.state()
    except Exception as error:  # noqa: BLE001 - a look-out must not fail, whatever state the engine is in
        return EngineState({}, f"the state cannot be told: {type(error).__name__}: {error}\n")


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}\n... and more\n"
