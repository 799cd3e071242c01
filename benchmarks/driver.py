"""The driver's ceiling: the real loop, scheduler, ledger and end of a run, with workers that only sleep.

Simulated workers are threads of two worker processes that sleep a given time per image and return records as real
workers do: as many rows, of the same size. What is measured is all that stands around them.

Usage: python -m benchmarks.driver [--workers 16 256 1024] [--ms 10 50 150] [--seconds 15]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

import dask
import distributed
from dask.delayed import Delayed, delayed

from benchmarks.common import KS, print_table, save, say_setup
from flatpipe.config import default_config
from flatpipe.engines.bundle import Bundle, Bundler
from flatpipe.engines.clusters.connect import DASK_SETTINGS
from flatpipe.engines.clusters.engine import ClusterEngine
from flatpipe.engines.execute import execute
from flatpipe.engines.opening import Opening
from flatpipe.observer import RunObserver
from flatpipe.plan.workspace import Workspace, open_workspace
from flatpipe.records import (
    FlattenResult,
    ImageRecord,
    ImageResult,
    ImageSource,
    LoadToken,
    PlannedImage,
    SettingsDigests,
    SweepResult,
)
from flatpipe.running.finishing import write_ending
from flatpipe.stop import StopRequest
from flatpipe.summaries import RunSummary
from flatpipe.work.recorded import recorded

_PROCESSES = 2
_RUN = "simulated"


@dataclass(frozen=True)
class Ceiling:
    """What one simulated run came to."""

    workers: int
    ms_per_image: int
    images: int
    images_per_s: float
    busy: float
    """Share of the workers' time that they slept for an image."""
    driver_ms: float
    """Processor milliseconds of the driver's thread per image: planning of tasks, ledger, log."""
    scheduler_ms: float
    """The same of Dask's scheduler and client, in their own thread."""
    peak_mb: float
    """Largest resident memory of the process with driver and scheduler."""
    end_ms: float
    """Milliseconds per image from the last image to the end of the run: tables, gallery, lock."""


def main() -> None:
    """Measure each pair of workers and milliseconds, print one table, save it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.driver", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[16, 256, 1024])
    parser.add_argument("--ms", type=int, nargs="+", default=[10, 50, 150])
    parser.add_argument("--seconds", type=float, default=15.0, help="that each run would take if nothing held it up")
    chosen = parser.parse_args()
    measure(chosen.workers, chosen.ms, chosen.seconds)


def measure(workers: Sequence[int], ms: Sequence[int], seconds: float) -> None:
    """The table of all pairs; no run has more than 40,000 images."""
    say_setup("driver", f"simulated workers (threads of {_PROCESSES} processes that sleep), records of 14 k an image")
    rows = [_ceiling(count, each, seconds) for count in workers for each in ms]
    print_table(list(asdict(rows[0])), [list(asdict(row).values()) for row in rows])
    save("driver", [asdict(row) for row in rows])


def _ceiling(workers: int, ms: int, seconds: float) -> Ceiling:
    images = min(40_000, int(workers * seconds * 1000 / ms))
    with tempfile.TemporaryDirectory(prefix="flatpipe-driver.") as folder, _workspace(folder, images) as workspace:
        opening = Opening(workspace.config, replace(workspace.settings, run=_RUN), (), RunObserver(), StopRequest())
        with _simulated(workers, opening) as engine:
            wall, driver, process = _run(workspace, engine, images, ms)
        ended = time.perf_counter()
        write_ending(workspace, RunSummary(_RUN, workspace.settings.output, images=images, done=images), lock=True)
        end = time.perf_counter() - ended
    return Ceiling(
        workers=workers,
        ms_per_image=ms,
        images=images,
        images_per_s=images / wall,
        busy=images * ms / 1000 / workers / wall,
        driver_ms=driver * 1000 / images,
        scheduler_ms=(process - driver) * 1000 / images,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        end_ms=end * 1000 / images,
    )


def _run(workspace: Workspace, engine: ClusterEngine, images: int, ms: int) -> tuple[float, float, float]:
    """Seconds of wall time, of the driver's thread and of the whole process."""
    prints = workspace.fingerprints
    builder = _SimulatedBuilder(ms / 1000, SettingsDigests(tuple(prints.flat.items()), prints.sweep))
    bundler = Bundler(workspace.ledger.work(), images, "auto", engine.task_seconds)
    workspace.ledger.announce_work(_RUN)
    began = time.perf_counter(), time.thread_time(), time.process_time()
    done = 0
    for records in execute(bundler, engine, builder.build, StopRequest()):
        workspace.ledger.record(records, _RUN)
        done += len(records)
    workspace.ledger.commit()
    assert done == images
    ended = time.perf_counter(), time.thread_time(), time.process_time()
    wall, driver, process = (after - before for before, after in zip(began, ended, strict=True))
    return wall, driver, process


class _SimulatedBuilder:
    """Builds a task that sleeps where a real one flattens."""

    def __init__(self, seconds: float, digests: SettingsDigests) -> None:
        self._seconds, self._digests = seconds, digests

    def build(self, bundle: Bundle, attempt: int) -> Delayed:
        """The root of a bundle's graph."""
        key = ("images", f"{_RUN}.{attempt}", bundle.images[0].source.image_id)
        work = partial(flatten_asleep, bundle.images, self._seconds, self._digests)
        root: Delayed = delayed(work, name="images", pure=False, traverse=False)(dask_key_name=key)
        return root


def flatten_asleep(images: Sequence[PlannedImage], seconds: float, digests: SettingsDigests) -> tuple[ImageRecord, ...]:
    """Records of images that took so many seconds each; runs in the simulated workers."""
    time.sleep(seconds * len(images))
    return tuple(_record(image.source, seconds, digests) for image in images)


def _record(source: ImageSource, seconds: float, digests: SettingsDigests) -> ImageRecord:
    pattern, name = _pattern(digests), source.image_id
    assert pattern.image_row is not None
    assert pattern.sweep_row is not None
    return replace(
        pattern,
        source=source,
        seconds=seconds,
        image_row=(name, *pattern.image_row[1:]),
        flat_rows=tuple((name, *row[1:]) for row in pattern.flat_rows),
        sweep_row=(name, *pattern.sweep_row[1:]),
    )


@cache
def _pattern(digests: SettingsDigests) -> ImageRecord:
    """A record as a real image of 14 k has it."""
    source = ImageSource("trips/000000.jpg", "/photos/trips/000000.jpg", 123_456, "1700000000000000000-1700000000")
    token = LoadToken(source.image_id, _digest("content"), 768, 512, 45_678, ("rotated (EXIF 6)",), 0.01)
    flats = tuple(
        FlattenResult(
            image_id=source.image_id,
            k=k,
            n_colors=k,
            mse=4000 / k,
            palette=tuple(f"#{color * 1048573 % (1 << 24):06x}" for color in range(k)),
            weights=tuple(1000 + color for color in range(k)),
            bytes=50_000 + k,
            sha256=_digest(f"flat {k}"),
            seconds=0.005,
        )
        for k in KS
    )
    names = ("sweep.gif", *(f"gallery/pictures/3f/3f-{name}" for name in ("flat.jpg", "preview.jpg", "original.js")))
    files = tuple((name, _digest(name)) for name in names)
    sweep = SweepResult(source.image_id, 400_000, _digest("sweep"), 9000, _digest("palettes"), files, 0.05)
    return recorded(ImageResult(source, token, flats, sweep), digests)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@contextlib.contextmanager
def _simulated(workers: int, opening: Opening) -> Iterator[ClusterEngine]:
    """An engine with so many workers that sleep."""
    threads = max(1, workers // _PROCESSES)
    options = {"threads_per_worker": threads, "processes": True, "dashboard_address": None, "silence_logs": 60}
    as_alone = {"distributed.scheduler.worker-saturation": 2.0}
    # ^ a worker of one thread is given two tasks, so that the next is there when one ends; so is each thread here
    with (
        dask.config.set({**DASK_SETTINGS, **as_alone}),
        distributed.LocalCluster(n_workers=_PROCESSES, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(flatten_asleep, (), 0.0, SettingsDigests((), ""))
        # ^ so that the simulated workers have imported what they need
        yield ClusterEngine(opening, client, workers, patience=60, is_local=True)


@contextlib.contextmanager
def _workspace(folder: str, images: int) -> Iterator[Workspace]:
    """A workspace whose ledger holds the plan of so many images that are nowhere."""
    (Path(folder) / "photos").mkdir()
    config = default_config(f"{folder}/photos", (f"output.path={folder}/out",))
    with open_workspace(config, "run") as workspace:
        workspace.ledger.begin_run(_RUN, "now", config.as_json())
        workspace.ledger.record_settings(workspace.fingerprints.choices)
        names = (f"trips/{number:06d}.jpg" for number in range(images))
        sources = (ImageSource(name, f"/photos/{name}", 123_456, "1700000000-1700000000") for name in names)
        workspace.ledger.store_plan(PlannedImage(source, KS, sweep=True, reason="new") for source in sources)
        workspace.ledger.commit()
        yield workspace


if __name__ == "__main__":
    main()
