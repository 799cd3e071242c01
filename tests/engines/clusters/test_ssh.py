"""Workers that are started over SSH, on a server of our own."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from commands import FAULTS, Project
from intruder import Target, intrusions, let_others_in
from servers import Servers, expected, python_path, wait_for
from strangers import family

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs sshd: openssh-server not installed (see .ci/run)")


@pytest.fixture
def ssh_port(servers: Servers, tmp_path: Path) -> int:
    """Port of an SSH server on 127.0.0.1 that lets the key in tmp_path/user in."""
    for key in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / key)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    shutil.copy(tmp_path / "user.pub", tmp_path / "authorized")
    Path("/run/sshd").mkdir(exist_ok=True)
    # ^ sshd wants its empty folder
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    (tmp_path / "sshd.conf").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/authorized\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "PermitUserEnvironment no\nAcceptEnv *\n"
    )
    servers.start(str(SSHD), "-D", "-f", str(tmp_path / "sshd.conf"))
    wait_for(lambda: _answers(port))
    return port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def remote_python(tmp_path: Path) -> str:
    """A Python that imports this flatpipe, as an SSH server starts it: without our environment.

    Its decodings are noted in tmp_path/begun, and do not end before tmp_path/hold is gone.
    """
    faults = json.dumps({"log": str(tmp_path / "begun"), "hold": str(tmp_path / "hold")})
    script = tmp_path / "python"
    variables = f"PYTHONPATH={python_path(FAULTS)} FLATPIPE_TEST_FAULTS='{faults}'"
    script.write_text(f'#!/bin/sh\n{variables} exec {sys.executable} "$@"\n')
    script.chmod(0o755)
    return str(script)


def over_ssh(tmp_path: Path) -> list[psutil.Process]:
    """The processes of Dask that our SSH server started."""
    conf = str(tmp_path / "sshd.conf")
    servers = [one for one in psutil.process_iter(["cmdline"]) if conf in (one.info["cmdline"] or ())]
    started = {child for server in servers for child in server.children(recursive=True)}
    return [process for process in started if any("distributed" in word for word in process.cmdline())]


def test_workers_over_ssh_write_the_same_bytes(
    ssh_port: int, remote_python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler and two workers started through SSH: the bytes of a threads run.

    A second user gets nothing of run and workers meanwhile; their key is in no command line, and nothing of it is left.
    """
    options = {"port": ssh_port, "username": "root", "client_keys": [str(tmp_path / "user")], "known_hosts": None}
    cluster = {
        "class": "distributed.SSHCluster",
        "allow_code": True,
        "args": [["127.0.0.1", "127.0.0.1", "127.0.0.1"]],
        "kwargs": {
            "connect_options": options,
            "worker_options": {"nthreads": 1, "local_directory": str(tmp_path / "scratch")},
            "scheduler_options": {"host": "127.0.0.1", "port": 0},
            "remote_python": remote_python,
        },
        "wait_for": {"workers": 2, "timeout": "60s"},
    }
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    project = Project.make(tmp_path / "p", images=6, execution={"cluster": cluster, "granularity": "image"})
    hold, begun = tmp_path / "hold", tmp_path / "begun"
    hold.touch()
    run = project.start("run")
    wait_for(lambda: run.poll() is not None or begun.exists())
    started = over_ssh(tmp_path)
    words = " ".join(word for process in started for word in process.cmdline())
    folders = set(re.findall(r"/tmp/flatpipe-\w+", words))
    let_others_in(tmp_path)
    found = intrusions(Target.of([*family(run.pid), *started], project.folder, tmp_path / "scratch"))
    is_under_way = run.poll() is None
    hold.unlink()
    out, err = run.communicate(timeout=100)

    assert run.returncode == 0, out + err
    assert "2 workers with 2 threads" in err
    assert len(started) >= 3
    assert is_under_way
    assert found == []
    assert "PRIVATE KEY" not in words
    assert project.digests() == expected(tmp_path / "threads", 6)
    assert [len(folders), *map(os.path.exists, folders)] == [1, False]
    assert list(tmp_path.glob("flatpipe-*")) == []
