"""A run in numbers, in the words of Prometheus."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from flatpipe.errors import ExitCode, ImageError
from flatpipe.ledger.rows import FLATS, SWEEPS
from flatpipe.observer import RunObserver
from flatpipe.records import ImageRecord
from flatpipe.summaries import PlanSummary, RunSummary
from flatpipe.versions import __version__

_ERRORS = sorted({ImageError.error, *(kind.error for kind in ImageError.__subclasses__())})
# ^ all are there from the first, at 0, so that an alert on one that rises sees it rise


@dataclass(slots=True)
class _Counts:
    """What counts up, over all rounds of a watch."""

    done: int = 0
    pairs: int = 0
    read: int = 0
    written: int = 0
    # ^ bytes
    stalls: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    # ^ by the stable word of each

    def __add__(self, other: _Counts) -> _Counts:
        """Both together."""
        sums = (self.done + other.done, self.pairs + other.pairs, self.read + other.read, self.written + other.written)
        return _Counts(*sums, self.stalls + other.stalls, self.failures + other.failures)


class Metrics(RunObserver, Collector):
    """Observes a run, or one round of a watch after the other, and tells what it has come to so far."""

    def __init__(self) -> None:
        self._turn, self.turned = threading.RLock(), threading.Event()
        # ^ turned: the run has come to another part of its story, and need not wait to have that told
        self._run_id = ""
        self._before, self._now = _Counts(), _Counts()
        self._refused: Counter[str] = Counter()
        # ^ by the word of each, in the round before: what is refused again is counted once
        self._refused_now: Counter[str] = Counter()
        self._plan, self._worked = PlanSummary(), 0
        self._workers: Callable[[], int] = _none
        self._began_work, self._ended_work = 0.0, 0.0
        # ^ by the clock that never jumps, as all rates are; 0: not yet
        self._times: dict[str, float] = {}
        # ^ by the name of each; in seconds since 1970
        self._ended: RunSummary | None = None
        self._exit_code: int | None = None

    # --- what is told ------------------------------------------------------------------------------------------------

    def begun(self, run_id: str) -> None:
        """Begin a round: what ran before it is added up."""
        with self._turn:
            self._before, self._now = self._counts(), _Counts()
            self._refused, self._refused_now = self._refused_now, Counter()
            self._run_id, self._plan, self._worked = run_id, PlanSummary(), 0
            self._ended, self._exit_code, self._ended_work = None, None, 0.0
            self._times = {"begin": time.time(), "last_progress": time.time()}

    def image_refused(self, record: ImageRecord) -> None:
        """Count it among the failures."""
        assert record.failure is not None
        with self._turn:
            self._refused_now[record.failure.error] += 1
            self._now.failures[record.failure.error] += 1

    def planned(self, plan: PlanSummary, backend: str) -> None:  # noqa: ARG002 - a text
        """Remember what there is to do."""
        self._plan = plan
        self.turned.set()

    def working(self, workers: Callable[[], int]) -> None:
        """Count the rate from here."""
        with self._turn:
            self._workers, self._began_work, self._worked = workers, time.monotonic(), 0
        self.turned.set()

    def image_done(self, record: ImageRecord) -> None:
        """Count one image."""
        with self._turn:
            self._times["last_progress"] = time.time()
            self._worked += 1
            now = self._now
            now.pairs += record.pairs
            now.read += record.source.size
            now.written += _bytes_written(record)
            if record.failure is None:
                now.done += 1
            else:
                now.failures[record.failure.error] += 1

    def stalled(self, text: str) -> None:  # noqa: ARG002 - the screen says it
        """Count it."""
        with self._turn:
            self._now.stalls += 1
        self.turned.set()

    def ended(self, summary: RunSummary) -> None:
        """Make the counts those of the summary: flat images of an image that was cut short are in it too."""
        with self._turn:
            self._ended, self._ended_work = summary, time.monotonic()
            self._now.done, self._now.pairs = summary.done, summary.pairs
            self._now.failures = Counter(dict(summary.failures))
            self.exited(summary.exit_code)

    def exited(self, exit_code: ExitCode) -> None:
        """Remember how it ended."""
        with self._turn:
            self._exit_code, self._workers = int(exit_code), _none
            self._times["end"] = time.time()
        self.turned.set()

    # --- what it tells -----------------------------------------------------------------------------------------------

    def collect(self) -> Iterator[Metric]:
        """All families of metrics; docs/outputs.md has each of them."""
        with self._turn:
            families = [self._info(), *self._counters(), *self._gauges(), *self._endings()]
        yield from families

    def _counts(self) -> _Counts:
        both = self._before + self._now
        both.failures -= self._refused & self._refused_now
        return both

    def _info(self) -> Metric:
        return InfoMetricFamily("flatpipe_run", "The run.", {"version": __version__, "run_id": self._run_id})

    def _counters(self) -> Iterator[Metric]:
        counts = self._counts()
        images = CounterMetricFamily("flatpipe_images", "Images that are done, and that failed.", labels=["state"])
        images.add_metric(["done"], counts.done)
        images.add_metric(["failed"], counts.failures.total())
        yield images
        failures = CounterMetricFamily(
            "flatpipe_failures", "Images that failed, by the error's word.", labels=["error"]
        )
        for word in _ERRORS:
            failures.add_metric([word], counts.failures[word])
        yield failures
        yield CounterMetricFamily("flatpipe_pairs", "Flat images made.", counts.pairs)
        yield CounterMetricFamily("flatpipe_read_bytes", "Size of the images' files.", counts.read)
        yield CounterMetricFamily("flatpipe_written_bytes", "Size of what was made of them.", counts.written)
        yield CounterMetricFamily("flatpipe_stalls", "Times that nothing came back for long.", counts.stalls)

    def _gauges(self) -> Iterator[Metric]:
        plan, summary = self._plan, self._ended
        left = plan.due - self._worked if summary is None else summary.left
        rate = self._rate()
        yield GaugeMetricFamily("flatpipe_images_found", "Images in the input.", plan.images)
        yield GaugeMetricFamily("flatpipe_images_current", "Images that were up to date already.", plan.current)
        yield GaugeMetricFamily("flatpipe_images_planned", "Images with something to do.", plan.due)
        yield GaugeMetricFamily("flatpipe_images_left", "Images still to do.", left)
        yield GaugeMetricFamily("flatpipe_pairs_planned", "Flat images to make.", plan.pairs)
        yield GaugeMetricFamily("flatpipe_workers", "Workers that are there.", self._workers())
        yield GaugeMetricFamily("flatpipe_images_per_second", "Images a second since work began.", rate)
        if summary is None and rate:
            yield GaugeMetricFamily("flatpipe_remaining_seconds", "Seconds that the rest may take.", left / rate)

    def _rate(self) -> float:
        """Since work began; at the end that of the whole work."""
        seconds = (self._ended_work or time.monotonic()) - self._began_work
        return self._worked / seconds if self._worked and seconds > 0 else 0.0

    def _endings(self) -> Iterator[Metric]:
        for name, seconds in self._times.items():
            words = f"When the run's {name.replace('_', ' ')} was."
            yield GaugeMetricFamily(f"flatpipe_run_{name}_timestamp_seconds", words, seconds)
        if self._exit_code is not None:
            yield GaugeMetricFamily("flatpipe_exit_code", "How the run ended.", self._exit_code)


def _bytes_written(record: ImageRecord) -> int:
    """Size of all files that the image's tasks wrote."""
    flats = sum(int(FLATS.value(row, "bytes")) for row in record.flat_rows)
    if record.sweep_row is None:
        return flats
    sizes = (json.loads(SWEEPS.value(record.sweep_row, column)) for column in ("sizes", "pictures"))
    return flats + sum(sum(own.values()) for own in sizes)


def _none() -> int:
    return 0
