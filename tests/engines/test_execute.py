"""The loop that feeds an engine: windows, deaths, stops."""

from __future__ import annotations

import itertools
import re
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from builders import settings_for, source_of, write_image
from dask.delayed import delayed
from waiting import wait_for

from flatpipe.engines import silence
from flatpipe.engines.bundle import Bundle, Bundler
from flatpipe.engines.engine import Engine, Finished, Submission, WorkersLost
from flatpipe.engines.execute import execute
from flatpipe.engines.graph import GraphBuilder
from flatpipe.engines.local import SynchronousEngine, ThreadsEngine
from flatpipe.errors import ExitCode, RunGivenUp
from flatpipe.records import ImageRecord, ImageSource, PlannedImage, SettingsDigests
from flatpipe.stop import StopRequest
from flatpipe.vocabulary import Granularity
from flatpipe.work import tasks
from flatpipe.work.worker import this_worker

DIGESTS = SettingsDigests(tuple((k, f"flat-{k}") for k in range(1, 257)), "sweep")


def planned(*names: str) -> list[PlannedImage]:
    """Images with work to do."""
    return [PlannedImage(ImageSource(name, f"/{name}", 1, ""), (2,), sweep=True, reason="new") for name in names]


class ScriptedEngine:
    """An engine that does nothing but what a table {image_id: [outcome, ...]} says, oldest image first."""

    workers, task_seconds = 2, 0.0

    def __init__(self, window: int, script: dict[str, list[BaseException]] | None = None) -> None:
        self.window = window
        self.most_in_flight = 0
        self.alone: dict[str, list[bool]] = defaultdict(list)
        self._script = script or {}
        self._queue: deque[Bundle] = deque()

    @property
    def places(self) -> int:
        """What is free of the window."""
        return self.window - len(self._queue)

    def submit(self, submissions: Sequence[Submission]) -> None:
        """Queue the bundles."""
        self._queue.extend(bundle for bundle, _ in submissions)
        self.most_in_flight = max(self.most_in_flight, len(self._queue))

    def finished(self, timeout: float) -> list[Finished]:
        """The scripted outcome of the oldest bundle (that of the first image that has one), or success."""
        bundle = self._queue.popleft()
        names = [image.source.image_id for image in bundle.images]
        for name in names:
            self.alone[name].append(not self._queue and len(names) == 1)
        for name in names:
            if self._script.get(name):
                return [Finished(bundle, error=self._script[name].pop(0))]
        return [Finished(bundle, tuple(ImageRecord(image.source, None, 1, 0.1, "{}") for image in bundle.images))]

    def stop(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def executed(
    engine: Engine, images: Iterable[PlannedImage], stop: StopRequest | None = None, granularity: Granularity = "image"
) -> Iterator[ImageRecord]:
    """The records that come out, one by one; the graphs are None."""
    work = list(images) if not isinstance(images, Iterator) else images
    bundler = Bundler(work, 100, granularity, 0.0)
    for records in execute(bundler, engine, lambda bundle, attempt: None, StopRequest() if stop is None else stop):  # type: ignore[arg-type,return-value]
        yield from records


def outcomes(engine: Engine, images: Iterable[PlannedImage], granularity: Granularity = "image") -> dict[str, str]:
    """The error word ("" for success) of each image that came out."""
    records = executed(engine, images, granularity=granularity)
    return {record.source.image_id: record.failure.error if record.failure else "" for record in records}


def test_every_image_comes_out_and_no_more_than_the_window_is_in_flight() -> None:
    """A hundred images pass through a window of five, each once."""
    engine = ScriptedEngine(5)

    assert outcomes(engine, planned(*map(str, range(100)))) == {str(n): "" for n in range(100)}
    assert engine.most_in_flight == 5


def test_the_source_of_work_is_read_as_it_is_needed() -> None:
    """Submitting never runs ahead of the window: a million images need not be held."""
    taken = itertools.count()
    work = ((next(taken) and image) or image for image in planned(*map(str, range(50))))
    next(executed(ScriptedEngine(4), work))

    assert next(taken) <= 5


def test_an_image_that_keeps_killing_workers_is_named_and_its_neighbours_are_not() -> None:
    """The poison is tried four times, the last two alone, and becomes worker-died; accused neighbours succeed."""
    died = WorkersLost("gone")
    engine = ScriptedEngine(3, {"poison": [died] * 9, "a": [died], "b": [died, died]})
    result = outcomes(engine, planned("a", "poison", "b", "c"))

    assert result == {"a": "", "b": "", "c": "", "poison": "worker-died"}
    assert engine.alone["poison"][-2:] == [True, True]
    assert len(engine.alone["poison"]) == 4


def test_a_batch_whose_worker_died_is_taken_apart() -> None:
    """Of five images in one task, one kills the worker: it is named, the other four succeed on their own."""
    engine = ScriptedEngine(2, {"c": [WorkersLost("gone")] * 9})

    assert outcomes(engine, planned(*"abcde"), "batch") == {"a": "", "b": "", "c": "worker-died", "d": "", "e": ""}


def test_a_lost_engine_ends_the_run() -> None:
    """What the engine cannot go on from is raised as RunGivenUp, and never looks like success."""
    with pytest.raises(RunGivenUp, match="scheduler"):
        outcomes(ScriptedEngine(2, {"a": [RunGivenUp("the scheduler was lost")]}), planned("a", "b"))
    with pytest.raises(RunGivenUp, match="odd"):
        outcomes(ScriptedEngine(2, {"a": [ValueError("odd")]}), planned("a", "b"))


def test_after_a_stop_nothing_is_submitted() -> None:
    """Once a stop is asked for, what is in flight comes out and no more goes in."""
    stop = StopRequest()
    results = executed(ScriptedEngine(2), planned(*"abcdef"), stop)
    first = next(results)
    stop.exit_code = ExitCode.INTERRUPTED

    assert [first.source.image_id, *(result.source.image_id for result in results)] == ["a", "b"]


@pytest.mark.parametrize("granularity", ["pair", "image", "batch"])
@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_local_engines_give_equal_files(workers: int, granularity: Granularity, tmp_path: Path) -> None:
    """The synchronous engine (0 here) and threads of any number, in tasks of any size, write what plain calls write."""
    sources = [source_of(write_image(tmp_path / f"{n}.png", seed=n)) for n in range(4)]
    expected, settings = settings_for(tmp_path / "plain"), settings_for(tmp_path / "engine")
    work = [PlannedImage(source, (2, 5), sweep=True, reason="new") for source in sources]
    for image in work:
        tasks.whole_image(image, (), expected)
    engine = ThreadsEngine("run", workers, print) if workers else SynchronousEngine("run", print)
    builder = GraphBuilder(settings, DIGESTS, lambda image: ())
    bundler = Bundler(work, len(work), granularity, engine.task_seconds)
    records = [record for some in execute(bundler, engine, builder.build, StopRequest()) for record in some]
    engine.close()

    assert [record.failure for record in records] == [None] * 4
    files = sorted(path.relative_to(tmp_path / "plain") for path in (tmp_path / "plain").rglob("*.*") if path.is_file())
    assert len(files) == 4 * (2 + 2 + 3)
    # ^ flats, sweep and palettes, the report's pictures
    for file in files:
        assert (tmp_path / "plain" / file).read_bytes() == (tmp_path / "engine" / file).read_bytes()


def test_threads_in_which_nothing_finishes_say_what_they_are_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two minutes without an image, then after four, threads name what they are at; what finishes begins anew."""
    told: list[str] = []
    clock, first, second = [0.0], threading.Event(), threading.Event()
    monkeypatch.setattr(silence, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def stuck(name: str, go: threading.Event) -> tuple[ImageRecord, ...]:
        with this_worker().busy_with(name):
            go.wait(60)
        return ()

    engine = ThreadsEngine("run", 2, told.append)
    both = [delayed(partial(stuck, name, go))() for name, go in (("a.png", first), ("b.png", second))]
    engine.submit([(Bundle((), one_task=True), root) for root in both])
    wait_for(lambda: len(this_worker().unfinished()) == 2)
    for clock[0] in (60.0, 130.0, 200.0, 250.0):
        assert engine.finished(0.01) == []
    first.set()
    assert len(engine.finished(60)) == 1
    for clock[0] in (300.0, 380.0):
        assert engine.finished(0.01) == []
    second.set()
    engine.close()

    at_work = re.compile(r"nothing has finished for (\d) min; at work: ((?:\w\.png for \d+ s(?:, )?)+)")
    found = [match for words in told if (match := at_work.fullmatch(words))]
    assert [(match[1], sorted(re.findall(r"\w\.png", match[2]))) for match in found] == [
        ("2", ["a.png", "b.png"]),
        ("4", ["a.png", "b.png"]),
        ("2", ["b.png"]),
    ]
