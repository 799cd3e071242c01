"""Workers that are started over SSH, on a server of our own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Project
from servers import Servers, expected, wait_for

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


def test_workers_over_ssh_write_the_same_bytes(ssh_port: int, tmp_path: Path) -> None:
    """A scheduler and two workers started through SSH: the run completes with the bytes of a threads run."""
    options = {"port": ssh_port, "username": "root", "client_keys": [str(tmp_path / "user")], "known_hosts": None}
    cluster = {
        "class": "distributed.SSHCluster",
        "args": [["127.0.0.1", "127.0.0.1", "127.0.0.1"]],
        "kwargs": {
            "connect_options": options,
            "worker_options": {"nthreads": 1, "local_directory": str(tmp_path / "scratch")},
            "scheduler_options": {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"},
            "remote_python": sys.executable,
        },
        "wait_for": {"workers": 2, "timeout": "60s"},
    }
    project = Project.make(tmp_path / "p", images=6, execution={"cluster": cluster})
    done = project.flatpipe("run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 workers with 2 threads" in done.stderr
    assert project.digests() == expected(tmp_path / "threads", 6)
