"""One round of work after the other, for as long as nobody stops them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from flatpipe.config import Config
from flatpipe.errors import ConfigError, ExitCode, OutputHeld
from flatpipe.plan.inputs.places import input_words
from flatpipe.plan.inputs.sources import input_files
from flatpipe.plan.request import Taking
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.running.interrupts import stop_on_signals
from flatpipe.running.watching.arrivals import Arrivals, Look
from flatpipe.stop import StopRequest

SETTLE_SECONDS = 5.0
# ^ longer than a writer of files usually pauses, and than the two seconds in which FAT tells no change
_LOOKS = 2.5
# ^ within the time that a file takes to settle
_CPU_SHARE, _TIME_SHARE = 0.05, 0.1
# ^ of a core, and of the time, that looking may take: the input of a store is asked for by many requests
_HELD_PAUSES = 5
# ^ between one try and the next while another run holds the output
_MOST_REFUSALS = 3
# ^ rounds in turn that cannot begin: an input that goes just then is missed, or there again, at the next look

Round = Callable[[Taking], ExitCode]
Tell = Callable[[str], None]


@dataclass(slots=True)
class _Watch:
    """A watch under way."""

    config: Config
    carry_out: Round
    tell: Tell
    arrivals: Arrivals
    stop: StopRequest
    least_pause: float
    # ^ seconds between looks
    hindered: set[str] = field(default_factory=set)
    # ^ what keeps it from going on, and was said: "look", "round"
    rounds: int = 0
    refusals: int = 0


def watch(config: Config, settle_seconds: float, carry_out: Round, tell: Tell) -> ExitCode:
    """Have rounds carried out as images come, change and go; how the last of them ended that ended the watch.

    Raises what the first look and the first round raise, and whatever a round raises that waiting does not mend.
    """
    woken = threading.Event()
    tell(f"watching {input_words(config)}: a file is taken once it has stayed as it is for {settle_seconds:g} s")
    with stop_on_signals(woken.set) as stop:
        arrivals, least_pause = Arrivals(settle_seconds), settle_seconds / _LOOKS
        watching = _Watch(config, carry_out, tell, arrivals, stop, least_pause)
        try:
            while not stop:
                pause = _looked(watching)
                if not stop and arrivals.is_due:
                    exit_code = _round(watching)
                    if exit_code not in (ExitCode.DONE, ExitCode.SOME_FAILED):
                        return exit_code
                    pause *= _HELD_PAUSES if watching.hindered else 1
                woken.wait(0 if stop else pause)
        except KeyboardInterrupt:
            pass
            # ^ asked twice while the input was listed
        tell("stopped watching")
        return stop.exit_code


def _looked(watching: _Watch) -> float:
    """Take a look at the input; seconds until the next."""
    began, used = time.monotonic(), time.thread_time()
    try:
        look = Look.at(_until(watching.stop, input_files(watching.config)))
    except ConfigError as error:
        if not watching.rounds:
            raise
        why = error.__cause__ if isinstance(error.__cause__, ConfigError) else error
        # ^ without the line of the config, which was right when the watch began
        _say_once(watching, "look", f"{why}; waiting for it")
        return watching.least_pause * _HELD_PAUSES
    now = time.monotonic()
    if not watching.stop:
        watching.arrivals.see(look, now)
    watching.hindered.discard("look")
    share = max((time.thread_time() - used) / _CPU_SHARE, (now - began) / _TIME_SHARE)
    return max(watching.least_pause, share)


def _until(stop: StopRequest, found: Iterable[ImageSource | RefusedFile]) -> Iterator[ImageSource | RefusedFile]:
    for item in found:
        if stop:
            return
        yield item


def _round(watching: _Watch) -> ExitCode:
    """Carry out a round; it stays due when another run holds the output, or the input has gone just now."""
    taken = watching.arrivals.settled()
    try:
        exit_code = watching.carry_out(taken)
    except OutputHeld as error:
        _say_once(watching, "round", f"{error}; waiting for its end")
        return ExitCode.DONE
    except ConfigError as error:
        watching.refusals += 1
        if not watching.rounds or watching.refusals == _MOST_REFUSALS:
            raise
        _say_once(watching, "round", f"{error}; trying again")
        return ExitCode.DONE
    watching.arrivals.done(taken)
    watching.rounds, watching.refusals = watching.rounds + 1, 0
    watching.hindered.discard("round")
    return exit_code


def _say_once(watching: _Watch, hindered: str, text: str) -> None:
    if hindered not in watching.hindered:
        watching.tell(text)
    watching.hindered.add(hindered)
