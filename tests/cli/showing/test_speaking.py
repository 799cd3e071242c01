"""What a command prints, and what becomes of it when nobody can read it."""

from __future__ import annotations

import ast
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from commands import Project, environment
from waiting import wait_for

from flatpipe.cli.showing import speaking

CLI = Path(speaking.__file__).parent
NAME = "\x1b]0;owned\x07\x1b[31m\x9b2J.png"
TRACEBACK = "Traceback (most recent call last)"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three small images, k 2..4, two threads."""
    return Project.make(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same, done."""
    project = Project.make(tmp_path_factory.mktemp("finished"))
    project.flatpipe("run")
    return project


def test_only_one_module_writes_to_the_streams() -> None:
    """No other module of the command line prints, writes to stdout or stderr, or has click do so."""
    doors = {"echo", "secho", "print", "stdout", "stderr"}
    found = {
        f"{path.name}: {ast.unparse(node)}"
        for path in CLI.glob("*.py")
        if path.name != "speaking.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in doors) or (isinstance(node, ast.Name) and node.id in doors)
    }
    assert found == {"screen.py: self._console.print", "swatches.py: console.print"}
    # ^ of these the second draws into memory


def _hostile(project: Project) -> list[tuple[str, ...]]:
    """Commands that tell of a name with terminal escapes, of every kind."""
    evil = f"out{NAME}"
    return [
        ("run", "-v", "-s", f"output.path={evil}"),
        ("run", "-s", f"output.path={evil}"),
        ("plan", "-v", "--force", "-s", f"output.path={evil}"),
        ("plan", "-s", f'execution.cluster={{class: "{NAME}"}}'),
        ("explain", NAME, "-s", f"output.path={evil}"),
        ("report", "-s", f"output.path={evil}"),
        ("clean", "-s", f"output.path={evil}", "-s", f"input.exclude=[{NAME!r}]"),
        ("verify", evil),
        ("diff", evil, "photos"),
        ("status", f"no{NAME}"),
        ("validate", f"pipelin{NAME}"),
        ("init", f"no{NAME}"),
        ("flatten", f"no{NAME}"),
        ("run", f"--{NAME}"),
        (NAME,),
    ]


def test_no_name_reaches_a_terminal_as_it_is(project: Project) -> None:
    """File names, folders, classes and arguments with control characters are printed escaped, by every command."""
    (project.folder / "photos" / "00.png").rename(project.folder / "photos" / NAME)
    (project.folder / "photos" / f"bad{NAME}").write_bytes(b"nothing")
    for arguments in _hostile(project):
        done = project.flatpipe(*arguments)
        told = done.stdout + done.stderr
        assert TRACEBACK not in told, arguments
        assert told, arguments
        assert all(char.isprintable() or char in "\n\t" for char in told), (arguments, told)


@pytest.mark.parametrize("arguments", ["run photos", "flatten photos -o other", "photos -o other", "plan photos"])
def test_the_first_words_wait_for_no_library(arguments: str, finished: Project) -> None:
    """A command that takes a while says that it has begun before anything is imported that takes a while itself."""
    program = (
        "import sys\nfrom flatpipe.cli import main\n"
        "class Told:\n"
        "    def write(self, text):\n"
        "        slow = {'numpy', 'pydantic', 'rich', 'dask', 'PIL', 'yaml', 'sqlite3'} & set(sys.modules)\n"
        "        sys.stdout.write(f'{text.strip()}|{sorted(slow)}')\n"
        "        sys.stdout.flush()\n"
        "        import os\n        os._exit(0)\n"
        "    def flush(self): pass\n"
        f"sys.stderr = Told()\nsys.argv = ['flatpipe', *{arguments.split()!r}]\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=finished.folder, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == "reading photos ...|[]", done


def test_the_bar_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    """On a terminal the bar, what is done, rates and time left stand on one line, none of it cut off."""
    execution = {"scheduler": "threads", "workers": 2, "granularity": "image"}
    project = Project.make(tmp_path, images=12, execution=execution)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "flatpipe", "run"],
        cwd=project.folder,
        env={**environment({"slow": 0.2}), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 65536):
            shown += piece
    process.wait(timeout=60)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    bars = [line for line in re.split(r"[\r\n]+", text) if "/12 images" in line]

    assert any("images/s" in line for line in bars)
    assert max(map(len, bars)) <= 80
    assert not any("…" in line for line in bars)
    assert any("━" in line and "─" in line for line in bars), bars


# --- streams that fail -----------------------------------------------------------------------------------------------


def _shell(project: Project, line: str) -> subprocess.CompletedProcess[str]:
    """What bash says of a line, in which `flatpipe` is the command; the exit code is that of flatpipe."""
    script = f"flatpipe() {{ '{sys.executable}' -m flatpipe \"$@\"; }}\n{line}; exit ${{PIPESTATUS[0]}}"
    return subprocess.run(
        ["bash", "-c", script], cwd=project.folder, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.parametrize("arguments", [
    "run --json", "run", "plan --json", "plan -v", "status", "report", "verify", "explain 01.png",
    "validate --resolved", "schema", "--help", "run --help", "--version", "completion bash", "diff out out", "clean",
])  # fmt: skip
def test_a_full_device_is_a_sentence(arguments: str, finished: Project) -> None:
    """Where stdout cannot be written, every command ends with exit 3 and says why; a closed one is asked for."""
    full = _shell(finished, f"flatpipe {arguments} >/dev/full")
    closed = _shell(finished, f"flatpipe {arguments} >&- 2>&-")

    assert (full.returncode, full.stderr.splitlines()[-1]) == (
        3,
        "flatpipe: stdout cannot be written: No space left on device",
    )
    assert TRACEBACK not in full.stderr
    assert "Exception ignored" not in full.stderr
    assert closed.returncode == 0


@pytest.mark.parametrize("arguments", ["run --json", "plan --json", "schema", "--help", "validate --resolved"])
def test_a_reader_who_leaves_at_once_ends_the_command_as_pipes_do(arguments: str, project: Project) -> None:
    """With nobody behind the pipe the exit code is 141, without a word."""
    done = _shell(project, f"flatpipe {arguments} 2>words | (exec <&-; sleep 3)")

    assert done.returncode == 141
    assert "flatpipe:" not in (project.folder / "words").read_text()
    assert TRACEBACK not in (project.folder / "words").read_text()


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_reader_who_leaves_in_the_middle_leaves_a_sound_ledger(scheduler: str, tmp_path: Path) -> None:
    """`run --json | head -1` ends with 141 before all is done; status knows why, and the next run goes on."""
    execution = {"scheduler": scheduler, "workers": 2, "granularity": "image"}
    project = Project.make(tmp_path, images=24, execution=execution)
    done = _shell(project, "flatpipe run --json | head -1")
    status = project.flatpipe("status").stdout
    again = project.flatpipe("run")

    assert done.returncode == 141
    assert done.stdout.count("\n") == 1
    assert TRACEBACK not in done.stderr
    assert "ended early (whoever read the output has left)" in status.splitlines()[0]
    assert again.returncode == 0
    assert "24 images done" not in again.stdout
    assert project.flatpipe("verify").returncode == 0


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_closed_terminal_stops_a_run_and_its_ledger_is_sound(scheduler: str, tmp_path: Path) -> None:
    """SIGHUP to all processes, of which the terminal is gone: exit 129, nothing called failed, a rerun completes."""
    project = Project.make(tmp_path, images=40, execution={"scheduler": scheduler, "workers": 2})
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "flatpipe", "run", "-v"]
    process = subprocess.Popen(
        command,
        cwd=project.folder,
        env=environment({"slow": 0.2}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    wait_for(lambda: any((project.out / "images").rglob("sweep.gif")))
    os.close(ours)
    os.killpg(process.pid, signal.SIGHUP)

    assert process.wait(timeout=60) == 129
    status = project.flatpipe("status").stdout
    assert "ended early (stopped; run again to go on)" in status.splitlines()[0]
    assert "failed" not in status
    assert project.flatpipe("run").returncode == 0


def test_nohup_is_obeyed(tmp_path: Path) -> None:
    """A run that was started to outlive its terminal goes on after SIGHUP."""
    project = Project.make(tmp_path, images=8)
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "flatpipe", "run"],
        cwd=project.folder,
        env=environment({"slow": 0.2}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    wait_for(lambda: any((project.out / "images").rglob("sweep.gif")))
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "\n8 images done, " in out
