"""Decoding in a process of its own: the same as here, and whatever becomes of the process is an error in words."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import psutil
import pytest
from file_builders import bomb_png, sample_files, scan_bomb
from waiting import wait_for

from flatpipe.decode.apart import decoding
from flatpipe.decode.apart.decoding import Decoding
from flatpipe.decode.decode import decode
from flatpipe.errors import DecoderFailed, ImageError, ImageTimedOut
from flatpipe.settings import DecodePolicy

FILES = sample_files()
POLICY = DecodePolicy()
BOMB = scan_bomb(6144, 100_000)
FAULT = """
import flatpipe.decode.decode as decode
def faulty(*arguments):
    import os, signal, time
    {fault}
decode.decode = faulty
"""
IN_A_PROGRAM = """
import sys
from flatpipe.decode.apart.decoding import Decoding
from flatpipe.settings import DecodePolicy
Decoding().decode(open(sys.argv[1], "rb").read(), DecodePolicy())
"""


def children(of: int | None = None) -> list[psutil.Process]:
    """The processes that decode for a process, this one if none is named."""
    found = []
    for child in psutil.Process(of).children():
        with contextlib.suppress(psutil.Error):
            # ^ it may end while it is asked
            found += [child] if "flatpipe.decode.apart.child" in child.cmdline() else []
    return found


@pytest.fixture(autouse=True)
def _none_idle() -> Iterator[None]:
    """No test finds or leaves a process of another."""
    decoding._end_idle()
    yield
    decoding._end_idle()


@pytest.fixture
def everything_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decoded in this process."""
    monkeypatch.setattr(decoding, "_MOST_SECONDS_HERE", 0.0)


def outcome(decoder: object, content: bytes) -> object:
    """What came of a decoding, comparable: arrays as bytes, errors as class and message."""
    try:
        found = decoder(content, POLICY)  # type: ignore[operator]
    except ImageError as error:
        return type(error), str(error)
    assert not found.pixels.flags.writeable
    alpha = None if found.alpha is None else found.alpha.tobytes()
    return found.pixels.shape, found.pixels.tobytes(), alpha, astuple(found)[2:5]


@pytest.mark.usefixtures("everything_apart")
def test_apart_is_as_here() -> None:
    """Files of every format, broken and refused ones too, come out the same, by one process for all of them."""
    for content in [
        *FILES.values(),
        *(content[: len(content) // 2] for content in FILES.values()),
        bomb_png(60_000, 60_000),
        b"",
    ]:
        assert outcome(Decoding().decode, content) == outcome(decode, content)

    assert len(children()) == 1


def test_what_is_quick_starts_no_process() -> None:
    """A usual file is decoded in this process."""
    Decoding().decode(FILES["JPEG"], POLICY)

    assert children() == []


@pytest.mark.parametrize("seconds", [0.0, 0.7], ids=["coming up", "decoding"])
def test_another_thread_can_end_it(seconds: float) -> None:
    """A file that would keep its decoder for minutes is let go of when another thread says so, and its process ends."""
    raised: list[BaseException] = []

    def decoded(one: Decoding) -> None:
        try:
            one.decode(BOMB, POLICY)
        except ImageError as error:
            raised.append(error)

    one = Decoding()
    thread = threading.Thread(target=decoded, args=(one,))
    thread.start()
    wait_for(lambda: bool(children()))
    (child,) = children()
    wait_for(lambda: child.cpu_times().user >= seconds)
    one.end()
    thread.join(60)

    assert not thread.is_alive()
    assert [type(error) for error in raised] == [DecoderFailed]
    assert children() == []


@pytest.mark.usefixtures("everything_apart")
def test_an_end_that_comes_late_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ending a decoding that is done leaves the process to the next."""
    first = Decoding()
    first.decode(FILES["PNG"], POLICY)
    (child,) = children()
    first.end()
    Decoding().decode(FILES["PNG"], POLICY)

    assert children() == [child]


@pytest.mark.usefixtures("everything_apart")
def test_one_that_has_ended_is_replaced() -> None:
    """A process that ended while it was idle is no failure of the next image."""
    Decoding().decode(FILES["PNG"], POLICY)
    (child,) = children()
    child.terminate()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    # ^ a zombie is one as soon as its first thread has gone
    Decoding().decode(FILES["PNG"], POLICY)

    assert [other.pid for other in children()] != [child.pid]


@pytest.mark.usefixtures("everything_apart")
@pytest.mark.parametrize(
    ("fault", "seconds", "error", "words"),
    [
        ("os.abort()", None, DecoderFailed, "its decoder crashed (SIGABRT)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", None, DecoderFailed, "was killed, as happens when memory runs out"),
        ("time.sleep(300)", 1.0, ImageTimedOut, "longer than limits.seconds_per_image (1 s)"),
        ("signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); time.sleep(300)", 1.0, ImageTimedOut, "(1 s)"),
        ("raise KeyError('odd')", None, ImageError, "KeyError: 'odd'"),
    ],
    ids=["crash", "killed", "stuck", "deaf", "fault"],
)
def test_whatever_becomes_of_the_process_is_an_error_of_the_image(
    fault: str, seconds: float | None, error: type[ImageError], words: str, tmp_path: Path, monkeypatch
) -> None:
    """A decoder that crashes, is killed, never comes back or has a fault fails its image, in words."""
    (tmp_path / "sitecustomize.py").write_text(FAULT.format(fault=fault))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    with pytest.raises(error) as raised:
        Decoding(seconds).decode(BOMB, POLICY)

    assert type(raised.value) is error
    assert words in str(raised.value)


@pytest.mark.usefixtures("everything_apart")
def test_where_no_process_can_be_started_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedded or frozen Python, and one whose processes fail at once, decode in place."""
    wanted = outcome(decode, FILES["PNG"])
    for name, value in (("executable", "/nowhere/python"), ("executable", "/bin/false"), ("frozen", True)):
        with monkeypatch.context() as patch:
            patch.setattr(sys, name, value, raising=False)
            assert outcome(Decoding().decode, FILES["PNG"]) == wanted
    assert children() == []


def test_a_process_ends_with_the_one_that_wants_its_answer(tmp_path: Path) -> None:
    """kill -9 of a program in the midst of a decoding leaves nothing behind that goes on for minutes."""
    (tmp_path / "bomb.jpg").write_bytes(BOMB)
    program = subprocess.Popen([sys.executable, "-c", IN_A_PROGRAM, str(tmp_path / "bomb.jpg")])
    wait_for(lambda: bool(children(program.pid)))
    (child,) = children(program.pid)
    wait_for(lambda: child.cpu_times().user > 0.5)
    # ^ it has come up, and is decoding
    program.kill()
    program.wait()

    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.usefixtures("everything_apart")
def test_a_forked_process_takes_none_of_its_parents() -> None:
    """Two processes never talk to one that decodes for one of them."""
    Decoding().decode(FILES["PNG"], POLICY)
    forked = os.fork()
    if not forked:
        os._exit(len(decoding._idle))

    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0
    assert len(decoding._idle) == 1
