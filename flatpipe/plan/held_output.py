"""An output that a run holds by its lease, and way made for it where leases of others lie."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flatpipe.errors import RunGivenUp
from flatpipe.layout import LEASE
from flatpipe.ledger.database import Tell
from flatpipe.plan.lease import STALE_SECONDS, Lease, beside, has_ended, live_lease, new_lease, read_lease, refusal
from flatpipe.storage.roots import Root

_RENEWED_SECONDS, _FIRST_SECONDS = 30.0, 2.0
# ^ the first soon: of two runs that began in the same moment, the one whose lease was written over ends
_WATCHED_SECONDS, _LOOK_SECONDS = 75.0, 5.0
# ^ what looks stale is watched for two renewals


@dataclass(frozen=True, slots=True)
class Leased:
    """A place with a lease, and the ledger of whoever takes it."""

    outputs: Root
    ledger_path: str


class HeldOutput:
    """An output, or a part's folder in one, that this run holds."""

    def __init__(self, outputs: Root, ledger_path: str, above: Root | None = None) -> None:
        self._outputs, self._above, self._beside = outputs, above, beside(ledger_path)
        self._lease = new_lease(ledger_path)
        self._over, self._taken = threading.Event(), ""
        self._turn = threading.Lock()
        # ^ to read the file and write it is one act: no renewal brings back what was removed

    def take(self) -> None:
        """Put the lease in place, and first beside a ledger that is elsewhere, for its next run; raises OSError."""
        if self._beside.parent != Path(self._outputs.place):
            self._beside.write_bytes(self._lease.content)
        self._outputs.write(LEASE, self._lease.content)

    def check(self) -> None:
        """Raise RunGivenUp when another run has taken the output over meanwhile: this machine slept, or was cut off.

        Raises OSError when that may be and cannot be known.
        """
        if time.time() - self._lease.renewed > STALE_SECONDS / 2:
            self._renew()
        if self._taken:
            raise RunGivenUp(f"{self._outputs.place}: another flatpipe run has taken over: {self._taken}")

    def renew_until_over(self) -> None:
        """Renew the lease now and then, in a thread of its own."""
        pause = _FIRST_SECONDS
        while not self._over.wait(pause) and not self._taken:
            pause = _RENEWED_SECONDS
            with contextlib.suppress(OSError):
                # ^ the next time may succeed; what cannot be written is told by those who write outputs
                self._renew()

    def let_go(self) -> None:
        """Remove the lease, when it is still this run's."""
        self._over.set()
        with self._turn, contextlib.suppress(OSError):
            found = read_lease(self._outputs)
            if found is not None and found.token == self._lease.token:
                self._outputs.remove(LEASE)
            if self._beside.parent != Path(self._outputs.place):
                self._beside.unlink(missing_ok=True)

    def _renew(self) -> None:
        with self._turn:
            found = read_lease(self._outputs)
            if found is None and self._above is not None:
                found = read_lease(self._above)
                # ^ a whole run removes the leases of parts that are gone, and has its own there
            if found is not None and found.token != self._lease.token:
                self._taken = found.words
            elif not self._over.is_set():
                renewed = replace(self._lease, renewed=time.time())
                self._outputs.write(LEASE, renewed.content)
                self._lease = renewed


@contextlib.contextmanager
def held_output(outputs: Root, ledger_path: str, tell: Tell | None, above: Root | None = None) -> Iterator[HeldOutput]:
    """Hold the output for a run; raises OutputHeld when another run holds it, OSError when it cannot be written.

    The caller holds the ledger's folder. Of a lease that is taken over, `tell` is told. A part of a run holds its own
    folder, and names the whole output, which lies `above`.
    """
    make_way([Leased(outputs, ledger_path)], tell, "going on in its place")
    held = HeldOutput(outputs, ledger_path, above)
    held.take()
    threading.Thread(target=held.renew_until_over, name="flatpipe-lease", daemon=True).start()
    try:
        yield held
    finally:
        held.let_go()


def make_way(places: Sequence[Leased], tell: Tell | None, then: str) -> None:
    """Return when no run writes to any of these places; of one that is gone the lease is removed, and `tell` told.

    Raises OutputHeld for one that goes on, OSError where that cannot be known. What is done `then` is told too.
    """
    tell = tell or _untold
    found = {place: lease for place in places if (lease := live_lease(place.outputs, place.ledger_path)) is not None}
    doubtful = {place: lease for place, lease in found.items() if not has_ended(lease, place.ledger_path)}
    if doubtful:
        words = "; ".join(f"{place.outputs.place}: {lease.words}" for place, lease in doubtful.items())
        tell(f"{words}, may be writing here; watching for {_WATCHED_SECONDS:.0f} s")
        _watch(doubtful)
    for place, lease in found.items():
        if read_lease(place.outputs) == lease:
            place.outputs.remove(LEASE)
            tell(f"{place.outputs.place}: the run that was writing here is gone ({lease.words}); {then}")


def _watch(doubtful: dict[Leased, Lease]) -> None:
    """Look for a while whether a lease is renewed, which raises OutputHeld; those that are removed are let be."""
    watched, end = dict(doubtful), time.monotonic() + _WATCHED_SECONDS
    while watched and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
        for place, before in list(watched.items()):
            now = read_lease(place.outputs)
            if now is not None and now != before:
                raise refusal(place.outputs, now)
            if now is None:
                del watched[place]


def _untold(text: str) -> None:
    """Tell nobody."""
