"""The output's own lock: a file in it that says which run writes there, whatever machine and ledger that has.

Machines that share nothing else share the output, an object store included. The file is renewed while the run goes on;
one that is not was left by a run that is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from flatpipe.errors import OutputHeld
from flatpipe.layout import LEASE
from flatpipe.storage.roots import Root

STALE_SECONDS = 600.0
# ^ clocks of machines may differ by any amount: what looks stale by ours is watched before it is believed


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


def live_lease(outputs: Root, ledger_path: str) -> Lease | None:
    """The lease of a run that seems gone, None without any; raises OutputHeld when the run goes on, OSError."""
    found = read_lease(outputs)
    if found is None or has_ended(found, ledger_path):
        return found
    if found.machine == _machine() or abs(time.time() - found.renewed) < STALE_SECONDS:
        raise refusal(outputs, found)
    return found


def read_lease(outputs: Root) -> Lease | None:
    """The lease that lies in the output; None when there is none that can be read; raises OSError."""
    try:
        return lease_of(outputs.read(LEASE))
    except (FileNotFoundError, NotADirectoryError):
        return None


def new_lease(ledger_path: str) -> Lease:
    """A lease of this process, from now on."""
    now, pid = time.time(), os.getpid()
    return Lease(platform.node(), _machine(), pid, _started(pid) or "", ledger_path, uuid.uuid4().hex, now, now)


def refusal(outputs: Root, found: Lease) -> OutputHeld:
    """What to raise where another run goes on."""
    return OutputHeld(
        f"{outputs.place}: another flatpipe run is writing here: {found.words}; "
        f"if you know that it is gone, delete {LEASE} there"
    )


def lease_of(content: bytes) -> Lease | None:
    try:
        return Lease(**json.loads(content))
    except (ValueError, TypeError):
        return None


def beside(ledger_path: str) -> Path:
    """Where a copy of the lease lies beside a ledger that is elsewhere."""
    return Path(ledger_path).with_name(LEASE)


def has_ended(found: Lease, ledger_path: str) -> bool:
    """Whether the run of a lease has surely ended, whatever the clocks say; the caller holds the ledger's folder."""
    if found.machine == _machine():
        return not _is_running(found)
    with contextlib.suppress(OSError):
        left = lease_of(beside(ledger_path).read_bytes())
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
