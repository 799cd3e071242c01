"""What a run does while its scheduler has no worker that stays, or nothing finishes: it is told, or ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count, repeat
from types import SimpleNamespace
from typing import Any

import pytest
from dask.delayed import delayed
from distributed.comm import CommClosedError

from flatpipe.engines import silence
from flatpipe.engines.bundle import Bundle
from flatpipe.engines.clusters import connect, engine
from flatpipe.errors import ExitCode, RunGivenUp
from flatpipe.records import ImageSource, PlannedImage
from flatpipe.stop import StopRequest

Workers = Iterator[list[str]]
# ^ addresses of the workers that are there, one list each time that the scheduler is asked


class Clock:
    """Time as the engine sees it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Seconds, set by the test."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Return at once."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The engine's clock."""
    clock = Clock()
    for module in (engine, silence):
        monkeypatch.setattr(module, "time", clock)
    return clock


def busy_engine(workers: Workers, told: list[str] | None = None, **of_client: Any) -> engine.ClusterEngine:
    """An engine that waits for three images, of a scheduler with these workers."""

    def identity(_: object, *, n_workers: int, **__: object) -> dict[str, Any]:
        here = next(workers)
        return {"n_workers": len(here), "total_threads": len(here), "workers": {who: {} for who in here[:n_workers]}}

    def asked(*arguments: object, n_workers: int, **_: object) -> dict[str, Any]:
        return identity(*arguments, n_workers=1000 if n_workers == -1 else n_workers)

    client = SimpleNamespace(
        status="running",
        compute=lambda roots, **_: ["future"],
        scheduler=SimpleNamespace(identity=None),
        sync=asked,
        **of_client,
    )
    opening = SimpleNamespace(
        settings=SimpleNamespace(run="r"),
        config=SimpleNamespace(errors=SimpleNamespace(retries=1)),
        listener=SimpleNamespace(preparing=(told if told is not None else []).append),
    )
    images = tuple(PlannedImage(ImageSource(f"{n}.png", "", 1, ""), (2,), sweep=True, reason="new") for n in range(3))
    cluster = engine.ClusterEngine(opening, client, 2, 120)  # type: ignore[arg-type]
    cluster.submit([(Bundle(images, one_task=True), delayed(1))])
    return cluster


def test_a_run_in_which_nothing_finishes_says_what_it_waits_for(clock: Clock) -> None:
    """After a while in which no image was done, and each time after twice as long, the run names one and counts all."""
    told: list[str] = []
    cluster = busy_engine(repeat(["a", "b"]), told)
    for clock.now in range(0, 450, 3):
        cluster._look()

    assert told == [
        "nothing has finished for 2 min; 2 workers at 3 images, such as 0.png",
        "nothing has finished for 4 min; 2 workers at 3 images, such as 0.png",
    ]


COMINGS: dict[str, tuple[Callable[[], Workers], bool]] = {
    "one stays": (lambda: repeat(["a"]), True),
    "one stays among those that do not": (lambda: (["a", f"b{n}"] for n in count()), True),
    "none comes": (lambda: repeat([]), False),
    "each is another": (lambda: ([f"a{n}"] for n in count()), False),
    "each is another, now and then": (lambda: ([f"a{n}"][: n % 2] for n in count()), False),
}


@pytest.mark.parametrize("case", COMINGS)
def test_workers_that_do_not_stay_are_none(case: str, clock: Clock) -> None:
    """A run whose workers end as soon as they come is given up as one without workers is; one that stays counts."""
    workers, goes_on = COMINGS[case]
    cluster = busy_engine(workers())
    try:
        for clock.now in range(0, 300, 3):
            cluster._look()
    except RunGivenUp as error:
        assert "no worker has been there for 120 s" in str(error)  # noqa: PT017 - either way is right, by the case
        assert not goes_on
    else:
        assert goes_on


@pytest.mark.parametrize(("later", "ends"), [(["a", "b"], False), (["b", "c"], False), (["c"], True), ([], True)])
def test_a_stop_waits_for_those_who_were_at_work(later: list[str], ends: bool, clock: Clock) -> None:
    """Once stopped, a run ends as soon as no worker is left that can finish what was running, whoever comes instead."""
    here = ["a", "b"]
    cluster = busy_engine(iter(lambda: here, None), run=lambda *_, **__: None)
    cluster.stop()
    here = later
    clock.now = 3
    if not ends:
        cluster._look()
        return
    with pytest.raises(RunGivenUp, match="stopped; the workers that were busy have ended"):
        cluster._look()


def test_a_stop_waits_for_no_answer() -> None:
    """A worker that never says that it has heard of the stop does not hold it up."""
    go, answers = threading.Event(), list[bool]()
    busy_engine(repeat(["a"]), run=lambda *_, **__: answers.append(go.wait(30))).stop()
    assert answers == []
    go.set()


def _opening(stop: StopRequest) -> Any:
    return SimpleNamespace(stop=stop, section=SimpleNamespace(wait_for=SimpleNamespace(timeout=1)))


@pytest.mark.parametrize(("deaths", "is_set_up"), [(0, True), (4, True), (5, False)])
def test_workers_may_end_while_they_are_set_up(deaths: int, is_set_up: bool) -> None:
    """The set-up is tried again when a worker ended meanwhile, and given up in words when that never ends."""
    ends = [CommClosedError()] * deaths

    def register(_: object) -> None:
        if ends:
            raise ends.pop()

    client = SimpleNamespace(register_plugin=register)
    if is_set_up:
        connect._set_up(client, connect.WorkerSetup(), _opening(StopRequest()))
        return
    with pytest.raises(RunGivenUp, match="workers end while they are set up"):
        connect._set_up(client, connect.WorkerSetup(), _opening(StopRequest()))


def test_a_stop_is_heard_while_workers_do_not_answer() -> None:
    """A worker that hangs in its set-up does not keep the user from ending the run."""
    go, stop = threading.Event(), StopRequest()
    threading.Timer(0.1, lambda: setattr(stop, "exit_code", ExitCode.TERMINATED)).start()
    client = SimpleNamespace(register_plugin=lambda _: go.wait(60))
    with pytest.raises(RunGivenUp, match="stopped while waiting for the set-up of the workers"):
        connect._set_up(client, connect.WorkerSetup(), _opening(stop))
    go.set()
