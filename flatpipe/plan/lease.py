"""The output's own lock: a file in it that says which run writes there, whatever machine and ledger that has.

Machines that share nothing else share the output, an object store included. The file is renewed while the run goes on;
one that is not was left by a run that is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from flatpipe.errors import RunGivenUp
from flatpipe.layout import LEASE
from flatpipe.ledger.database import Tell
from flatpipe.storage.roots import Root

_RENEWED_SECONDS, _FIRST_SECONDS = 30.0, 2.0
# ^ the first soon: of two runs that began in the same moment, the one whose lease was written over ends
_STALE_SECONDS, _WATCHED_SECONDS, _LOOK_SECONDS = 600.0, 75.0, 5.0
# ^ clocks of machines may differ by any amount, so what looks stale by ours is watched for two renewals first


@dataclass(frozen=True, slots=True)
class Lease:
    """Who writes to an output."""

    host: str
    machine: str
    # ^ the host since its last start, and within it the space that process numbers count in
    pid: int
    started: str
    # ^ when the process began, in its machine's own count: the next process of that number began at another time
    ledger: str
    token: str
    # ^ of this one run
    since: float
    # ^ seconds since 1970, as `renewed`
    renewed: float

    @property
    def words(self) -> str:
        """The run, for people."""
        when = datetime.fromtimestamp(self.renewed, UTC)
        return f"process {self.pid} on {self.host}, last seen {when:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def content(self) -> bytes:
        """The lease as a file holds it."""
        return (json.dumps(asdict(self), indent=2) + "\n").encode()


class HeldOutput:
    """An output that this run holds."""

    def __init__(self, outputs: Root, ledger_path: str) -> None:
        self._outputs, self._beside = outputs, _beside(ledger_path)
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
        if time.time() - self._lease.renewed > _STALE_SECONDS / 2:
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
            if found is not None and found.token != self._lease.token:
                self._taken = found.words
            elif not self._over.is_set():
                renewed = replace(self._lease, renewed=time.time())
                self._outputs.write(LEASE, renewed.content)
                self._lease = renewed


@contextlib.contextmanager
def held_output(outputs: Root, ledger_path: str, tell: Tell | None) -> Iterator[HeldOutput]:
    """Hold the output for a run; raises RunGivenUp when another run holds it, OSError when it cannot be written.

    The caller holds the ledger's folder. Of a lease that is taken over, `tell` is told.
    """
    tell = tell or _untold
    before = live_lease(outputs, ledger_path)
    if before is not None and not _has_ended(before, ledger_path):
        tell(f"{outputs.place}: {before.words}, may be writing here; watching for {_WATCHED_SECONDS:.0f} s")
        before = _watched(outputs, before)
    if before is not None:
        tell(f"{outputs.place}: the run that was writing here is gone ({before.words}); going on in its place")
    held = HeldOutput(outputs, ledger_path)
    held.take()
    threading.Thread(target=held.renew_until_over, name="flatpipe-lease", daemon=True).start()
    try:
        yield held
    finally:
        held.let_go()


def live_lease(outputs: Root, ledger_path: str) -> Lease | None:
    """The lease of a run that seems gone, None without any; raises RunGivenUp when the run goes on, OSError."""
    found = read_lease(outputs)
    if found is None or _has_ended(found, ledger_path):
        return found
    if found.machine == _machine() or abs(time.time() - found.renewed) < _STALE_SECONDS:
        raise _refusal(outputs, found)
    return found


def read_lease(outputs: Root) -> Lease | None:
    """The lease that lies in the output; None when there is none that can be read; raises OSError."""
    try:
        return _lease_of(outputs.read(LEASE))
    except (FileNotFoundError, NotADirectoryError):
        return None


def new_lease(ledger_path: str) -> Lease:
    """A lease of this process, from now on."""
    now, pid = time.time(), os.getpid()
    return Lease(platform.node(), _machine(), pid, _started(pid) or "", ledger_path, uuid.uuid4().hex, now, now)


def _untold(text: str) -> None:
    """Tell nobody."""


def _refusal(outputs: Root, found: Lease) -> RunGivenUp:
    return RunGivenUp(
        f"{outputs.place}: another flatpipe run is writing here: {found.words}; "
        f"if you know that it is gone, delete {LEASE} there"
    )


def _watched(outputs: Root, before: Lease) -> Lease | None:
    """The lease of a run that is gone, None when it was removed meanwhile; raises RunGivenUp when it was renewed."""
    end = time.monotonic() + _WATCHED_SECONDS
    while time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
        found = read_lease(outputs)
        if found != before:
            if found is not None:
                raise _refusal(outputs, found)
            return None
    return before


def _lease_of(content: bytes) -> Lease | None:
    try:
        return Lease(**json.loads(content))
    except (ValueError, TypeError):
        return None


def _beside(ledger_path: str) -> Path:
    return Path(ledger_path).with_name(LEASE)


def _has_ended(found: Lease, ledger_path: str) -> bool:
    """Whether the run of a lease has surely ended, whatever the clocks say; the caller holds the ledger's folder."""
    if found.machine == _machine():
        return not _is_running(found)
    with contextlib.suppress(OSError):
        left = _lease_of(_beside(ledger_path).read_bytes())
        return found.host == platform.node() and left is not None and left.token == found.token
        # ^ this machine has started anew, or another container on it: a run with our ledger's folder, which we hold.
        #   The host counts too: on a network drive without locks it may be another one's run with the same ledger
    return False


def _is_running(found: Lease) -> bool:
    """Whether the process of a lease of this machine goes on."""
    try:
        os.kill(found.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
        # ^ another user's
    return _started(found.pid) in (None, found.started)


def _started(pid: int) -> str | None:
    """When a process began, in ticks of its machine; "" of one that has ended; None where that cannot be known."""
    try:
        state, *others = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except (OSError, ValueError):
        return None
    return "" if state in "ZX" else others[18]


def _machine() -> str:
    """What is equal where process numbers mean the same; the host's name where that cannot be known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116
    except OSError:
        return platform.node()
