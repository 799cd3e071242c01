"""A second user of the machine, without any rights, who tries to get into a run: whatever lets them in is named.

As a program it takes on their identity, tries every attack of the table, and prints what succeeded. Nothing is changed
but files of its own; it ends within seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent))

from strangers import let_in, ports

NOBODY = 65534
SECRET = "a-secret-of-whoever-runs-flatpipe"
# ^ in the variables of the run
_SHORT = 20_000_000
# ^ bytes of the largest file that is read


@dataclass(frozen=True)
class Target:
    """A run under way, as whoever started it can see it."""

    pids: Sequence[int]
    ports: Sequence[int]
    sockets: Sequence[str]
    # ^ paths of the Unix sockets on which its processes listen; "@..." for those without a file
    folders: Sequence[str]
    # ^ where its files lie
    secrets: Sequence[str] = (SECRET, "PRIVATE KEY")

    @classmethod
    def of(cls, processes: Iterable[psutil.Process], *folders: Path) -> Target:
        """A run's processes and folders."""
        found = [process for process in processes if process.is_running()]
        return cls([one.pid for one in found], list(ports(found)), _sockets(found), [str(path) for path in folders])


def _sockets(processes: Sequence[psutil.Process]) -> list[str]:
    paths = set()
    for process in processes:
        with contextlib.suppress(psutil.Error):
            paths |= {str(connection.laddr) for connection in process.net_connections("unix") if connection.laddr}
    return sorted(paths)


def intrusions(target: Target) -> list[str]:
    """What the second user succeeds in; where only root could be one, what a stranger does who has no keys."""
    if os.geteuid() != 0:
        return let_in(target.ports)
    return _as_nobody("attack", json.dumps(asdict(target)))


def ambush(temporary: Path, mark: Path) -> None:
    """Have the second user prepare a folder of temporary files for a run to come; code of theirs leaves the mark."""
    _as_nobody("ambush", json.dumps([str(temporary), str(mark)]))


def let_others_in(folder: Path) -> None:
    """Let every user come to a folder, so that what lies in it must protect itself."""
    for above in (folder, *folder.parents[:-1]):
        mode = above.stat().st_mode
        if mode | 0o055 != mode:
            above.chmod(mode | 0o055)


def _as_nobody(*words: str) -> list[str]:
    command = [sys.executable, __file__, *words[:1]]
    done = subprocess.run(command, input=words[1], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


# --- what they try ---------------------------------------------------------------------------------------------------


def _memory(target: Target) -> Iterator[str]:
    """Write to a process's memory."""
    for pid in target.pids:
        with open(f"/proc/{pid}/mem", "r+b"):  # noqa: PTH123
            yield str(pid)


def _variables(target: Target) -> Iterator[str]:
    for pid in target.pids:
        if Path(f"/proc/{pid}/environ").read_bytes():
            yield str(pid)


def _open_files(target: Target) -> Iterator[str]:
    for pid in target.pids:
        yield from (f"{pid} {number}" for number in os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208


def _signals(target: Target) -> Iterator[str]:
    for pid in target.pids:
        os.kill(pid, 0)
        yield str(pid)


def _command_lines(target: Target) -> Iterator[str]:
    for pid in target.pids:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        yield from (f"{pid}: {secret}" for secret in target.secrets if secret.encode() in words)


def _dask(target: Target) -> Iterator[str]:
    """Speak with a scheduler or worker, which run what they are told."""
    yield from let_in(target.ports)


def _unix_sockets(target: Target) -> Iterator[str]:
    for path in target.sockets:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(path.replace("@", "\0", 1) if path.startswith("@") else path)
            yield path


def _all_files(target: Target) -> Iterator[Path]:
    for folder in target.folders:
        for place, _, names in os.walk(folder):
            yield from (Path(place, name) for name in names)


def _reading(target: Target) -> Iterator[str]:
    """Find a secret in a file."""
    for path in _all_files(target):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size < _SHORT:
                content = path.read_bytes()
                yield from (f"{path}: {secret}" for secret in target.secrets if secret.encode() in content)


def _writing(target: Target) -> Iterator[str]:
    """Open a file to write to it; nothing is written."""
    for path in _all_files(target):
        with contextlib.suppress(OSError):
            if path.stat().st_uid != NOBODY:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                yield str(path)


def _making(target: Target) -> Iterator[str]:
    """Put a file into a folder, as whoever may delete others there; those for everybody's temporary files excepted."""
    for folder in target.folders:
        for place, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                status = Path(place).stat()
                if status.st_mode & 0o1000 or status.st_uid == NOBODY:
                    continue
                made = Path(place, "intruder.py")
                made.write_text("")
                made.unlink()
                yield place


ATTACKS: dict[str, Callable[[Target], Iterator[str]]] = {
    "memory of a process": _memory,
    "variables of a process": _variables,
    "open files of a process": _open_files,
    "signals to a process": _signals,
    "secrets in a command line": _command_lines,
    "Dask's ports": _dask,
    "Unix sockets": _unix_sockets,
    "secrets in a file": _reading,
    "a file changed": _writing,
    "a file put into a folder": _making,
}
_ON_PROCESSES = (_memory, _variables, _open_files, _signals, _command_lines)


def _succeeded(target: Target) -> Iterator[str]:
    for name, attack in ATTACKS.items():
        for one in _each(target) if attack in _ON_PROCESSES else [target]:
            with contextlib.suppress(OSError):
                yield from (f"{name}: {evidence}" for evidence in attack(one))


def _each(target: Target) -> Iterator[Target]:
    """The target with each of its processes alone: one that cannot be had is not to hide the next."""
    return (replace(target, pids=[pid]) for pid in target.pids)


def _lie_in_wait(temporary: str, mark: str) -> Iterator[str]:
    """Folders and files of names that are known beforehand, with modules that a worker imports."""
    for folder in ("dask-scratch-space", "dask-worker-space", "flatpipe-kernels-0"):
        for name in ("distributed", "flatpipe", "numba", "msgpack", "signal"):
            path = Path(temporary, folder, f"{name}.py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"open({mark!r}, 'a').write({name!r})\nraise ImportError\n")
        yield folder
    Path(temporary, "flatpipe-compiling-0.lock").touch(0o666)


def _main() -> None:
    let_in([1])
    # ^ imports what it needs while this Python can be read
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    words = json.loads(sys.stdin.read())
    found = _succeeded(Target(**words)) if sys.argv[1] == "attack" else _lie_in_wait(*words)
    print(json.dumps(list(found)))


if __name__ == "__main__":
    _main()
