"""A stall: where everything stands is written down once, the image at hand is named, and nothing is disturbed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Project
from dask.delayed import delayed
from waiting import wait_for

from flatpipe.engines.engine import EngineState
from flatpipe.engines.local import SynchronousEngine
from flatpipe.engines.shared_jobs import AddedSum
from flatpipe.errors import ExitCode
from flatpipe.running.telling.stall import stalls_told

SECONDS = 0.05
# ^ a stall in these tests, and the clock's own grain many times
PATIENCE = 100


# --- real runs -------------------------------------------------------------------------------------------------------


def stalled(project: Project, hold: Path) -> tuple[str, str, str]:
    """The sentence of a run that stalls at an image, where everything stood, and what the run says when it goes on."""
    hold.touch()
    run = project.start("run", faults={"hold": str(hold)})
    assert run.stderr is not None
    told = next(line for line in run.stderr if "nothing has come back" in line)
    hold.unlink()
    out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == ExitCode.DONE, err
    return told, Path(told.partition("stands: ")[2].strip()).read_text(), out + err


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_stall_is_written_down_and_disturbs_nothing(scheduler: str, tmp_path: Path) -> None:
    """Image, stack and, of processes, scheduler and worker stand in a file of runs/; then the run ends as ever."""
    execution, limits = {"scheduler": scheduler, "workers": 1}, {"stall_seconds": 1, "seconds_per_image": 30}
    project = Project.make(tmp_path, images=1, flatten={"k": "2"}, execution=execution, limits=limits)
    told, state, rest = stalled(project, tmp_path / "hold")
    (folder,) = (project.out / "runs").iterdir()

    assert "at work: 00.png for" in told
    assert str(folder / "stall-1.txt") in told
    assert "load_image_with_faults" in state, "the stack of who is at it"
    if scheduler == "processes":
        assert "the scheduler knows 1 worker\n" in state
        assert "1 task, memory" in state
        assert "at 00.png for" in state
    assert "1 image done" in rest


def test_one_thread_tells_what_it_is_at() -> None:
    """The engine without threads is silent while a job takes its time, and shows where it is; before and after, not."""
    engine = SynchronousEngine("run", pytest.fail)
    told: list[tuple[bool, str]] = []

    def a_job_that_takes_its_time() -> tuple[()]:
        told.append((engine.silent_seconds > 0, engine.state().text))
        return ()

    silent = [engine.silent_seconds]
    engine.submit([(AddedSum("", ()), delayed(a_job_that_takes_its_time)())])
    engine.finished(0)
    engine.close()
    silent.append(engine.silent_seconds)

    assert silent == [0, 0]
    assert told[0][0]
    assert "a_job_that_takes_its_time" in told[0][1]


# --- the look-out ----------------------------------------------------------------------------------------------------


class Engine:
    """An engine at which nothing finishes, but when it is told to."""

    def __init__(self, tell: Callable[[], EngineState] = lambda: EngineState({"a.png": 400.0, "b.png": 7.0}, "here")):
        self.state, self.is_at_work = tell, True
        self.finish()

    def finish(self) -> None:
        """Have something finished."""
        self._finished = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """As every engine tells it."""
        return time.monotonic() - self._finished if self.is_at_work else 0.0


def keeping(written: list[str]) -> Callable[[str], Path]:
    """What writes states down."""
    return lambda state: written.append(state) or Path(f"stall-{len(written)}.txt")  # type: ignore[func-returns-value]


def test_each_stall_is_told_once() -> None:
    """However long it lasts, a stall is one sentence; the next one is another, and names the longest images."""
    told: list[str] = []
    written: list[str] = []
    engine = Engine()
    engine.is_at_work = False
    with stalls_told(SECONDS, engine, keeping(written), told.append):
        threading.Event().wait(4 * SECONDS)
        assert told == [], "nothing is under way"
        engine.is_at_work = True
        for number in (1, 2):
            engine.finish()
            wait_for(lambda number=number: len(told) == number)  # type: ignore[misc]
            threading.Event().wait(4 * SECONDS)
            assert len(told) == number

    assert told[0].endswith("at work: a.png for 7 min; b.png for 7 s; where everything stands: stall-1.txt")
    assert "at a.png for 400.0 s\nat b.png for 7.0 s\n\nhere" in written[0]


def test_a_look_out_survives_whatever_it_looks_at() -> None:
    """A state that cannot be told, and one that cannot be written, are told as such."""

    def lost() -> EngineState:
        raise RuntimeError("no loop")

    def full(state: str) -> Path:
        assert "the state cannot be told: RuntimeError: no loop" in state
        raise OSError(28, "No space left on device")

    told: list[str] = []
    with stalls_told(SECONDS, Engine(lost), full, told.append):
        wait_for(lambda: bool(told))

    assert told[0].endswith(
        "at work: nobody knows; where everything stands cannot be written down: No space left on device"
    )


def test_a_state_that_does_not_come_keeps_nobody() -> None:
    """A run ends while its state is asked for: nobody waits for the answer, and nothing is written of it then."""
    asked, answer = threading.Event(), threading.Event()

    def late() -> EngineState:
        asked.set()
        answer.wait(PATIENCE)
        return EngineState({}, "late")

    written: list[str] = []
    with stalls_told(SECONDS, Engine(late), keeping(written), pytest.fail):
        assert asked.wait(PATIENCE)
    before = {thread.name for thread in threading.enumerate()}
    answer.set()
    wait_for(lambda: "flatpipe-stalls" not in {thread.name for thread in threading.enumerate()})

    assert "flatpipe-stalls" in before
    assert written == []


def test_without_a_limit_nobody_looks_out() -> None:
    """limits.stall_seconds null: never."""
    with stalls_told(None, Engine(), keeping([]), pytest.fail):
        assert "flatpipe-stalls" not in {thread.name for thread in threading.enumerate()}
