"""Shell completion: a real shell completes flatpipe's commands, flags and file names, and does not wait for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flatpipe import cli

SHELLS = ("bash", "zsh", "fish")


def _completed(*words: str) -> list[str]:
    """What flatpipe answers a shell that completes the last word: lines of `kind,value`."""
    environment = {
        **os.environ,
        "_FLATPIPE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("flatpipe", *words)),
        "COMP_CWORD": str(len(words)),
    }
    command = [sys.executable, "-m", "flatpipe"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize(("words", "answer"), [
    (("ver",), ["plain,verify"]),
    (("run", "--only-"), ["plain,--only-failed"]),
    (("verify", "--re"), ["plain,--recompute"]),
    (("completion", "f"), ["plain,fish"]),
    (("run", "pipe"), ["file,pipe"]),
    (("diff", "outputs", "oth"), ["file,oth"]),
    (("flatten", "a.png", "-o", "fl"), ["file,fl"]),
], ids=" ".join)  # fmt: skip
def test_commands_flags_choices_and_files_are_completed(words: tuple[str, ...], answer: list[str]) -> None:
    """Each word is completed by what may stand there."""
    assert _completed(*words) == answer


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    """bash, once it has read `flatpipe completion bash`, completes `flatpipe val` to validate."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    program = tmp_path / "flatpipe"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m flatpipe "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(flatpipe completion bash)"; complete -p flatpipe; '
        "COMP_WORDS=(flatpipe val); COMP_CWORD=1; _flatpipe_completion flatpipe; echo ${COMPREPLY[@]}"
    )
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [bash, "--norc", "-c", script], env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()

    assert done[0].startswith("complete ")
    assert done[1] == "validate"


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_script(shell: str, monkeypatch, capsys) -> None:
    """The script asks flatpipe in that shell's own protocol, under the variable that the command obeys."""
    monkeypatch.setattr(sys, "argv", ["flatpipe", "completion", shell])
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 0
    assert f"_FLATPIPE_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_completing_is_light() -> None:
    """A shell waits for neither pydantic nor numpy, let alone for numba or Dask, when Tab is pressed."""
    program = (
        "import os, sys\nfrom flatpipe.cli import main\n"
        "os.environ.update(_FLATPIPE_COMPLETE='bash_complete', COMP_WORDS='flatpipe run --', COMP_CWORD='2')\n"
        "sys.argv = ['flatpipe']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'pydantic', 'yaml', 'numpy', 'PIL', 'numba', 'sklearn', 'dask', 'distributed'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "--only-failed" in done.stdout
