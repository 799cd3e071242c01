"""A second user of the machine cannot run code in a run, read its credentials or change its files."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Project
from intruder import ATTACKS, NOBODY, SECRET, Target, ambush, intrusions
from servers import Servers, wait_for
from strangers import family, ports

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take on a second user's identity")

_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
_ENGINES = {
    "threads": {"scheduler": "threads", "workers": 2},
    "processes": {"scheduler": "processes", "workers": 2},
}


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may enter, with a short path, as sockets need it."""
    folder = Path(tempfile.mkdtemp(prefix="second-user-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("engine", _ENGINES)
def test_a_second_user_gets_nothing_of_a_run(engine: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever prepares the folder for temporary files, and tries all doors while it goes on, finds them shut."""
    monkeypatch.setenv("TMPDIR", str(place / "tmp"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    ambush(place / "tmp", place / "tmp" / "mark")
    project = Project.make(place / "p", images=3, execution={**_ENGINES[engine], "granularity": "image"})
    hold, begun = place / "hold", place / "begun"
    hold.touch()
    run = project.start("run", faults={"log": str(begun), "hold": str(hold)})
    wait_for(lambda: run.poll() is not None or begun.exists())
    target = Target.of(family(run.pid), place)
    found = intrusions(target)
    is_under_way = run.poll() is None
    hold.unlink()
    out, err = run.communicate(timeout=100)

    assert is_under_way
    assert len(target.pids) >= (1 if engine == "threads" else 4)
    assert found == []
    assert run.returncode == 0, out + err
    assert not (place / "tmp" / "mark").exists()


def test_a_second_user_gets_in_where_a_door_is_open(servers: Servers, place: Path) -> None:
    """Each attack of the table succeeds where nobody has taken care: what it does not find is not there."""
    scheduler, _ = servers.dask_scheduler(place)
    careless = subprocess.Popen(["sleep", "100"], user=NOBODY, group=NOBODY, extra_groups=[])
    shown = servers.start(sys.executable, "-c", "import time; time.sleep(100)", SECRET)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place / "socket"))
        listening.listen()
        (place / "socket").chmod(0o777)
        (place / "open").mkdir()
        (place / "open").chmod(0o777)
        (place / "open" / "key.pem").write_text("BEGIN PRIVATE KEY")
        (place / "open" / "key.pem").chmod(0o666)
        pids = [careless.pid, shown.pid]
        target = Target(pids, list(ports(family(scheduler.pid))), [str(place / "socket")], [str(place)])
        found = intrusions(target)
    careless.kill()
    careless.wait()
    shut = {"memory of a process"} if _YAMA.exists() and _YAMA.read_text().strip() != "0" else set()

    assert {one.partition(":")[0] for one in found} >= ATTACKS.keys() - shut, found
