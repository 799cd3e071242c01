"""What must hold on every worker before the first image: checked in seconds, so that hours are not lost."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

from distributed.comm import CommClosedError
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from flatpipe.engines.clusters.worker_setup import memory_of
from flatpipe.environment import package_versions, versions_for
from flatpipe.errors import RunGivenUp
from flatpipe.layout import PARTIAL, partial_name
from flatpipe.records import ImageSource
from flatpipe.settings import TaskSettings
from flatpipe.storage.reading import file_size
from flatpipe.storage.roots import Root, open_root
from flatpipe.text import in_bytes
from flatpipe.versions import __version__
from flatpipe.vocabulary import VideoFormat
from flatpipe.work.memory import BASE_BYTES, memory_needed

_TRIES, _PAUSE_SECONDS = 5, 1.0
# ^ to check workers of which one ends meanwhile; until the scheduler knows that it has
_END_SHARE = 0.95
# ^ of its memory at which Dask's nanny ends a worker
_SHARED = "it must be the same folder on every machine, or a URL such as s3://bucket/folder"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a worker is sent to find out."""

    path: str
    # ^ of an image's file, or of its archive; "": there is no image
    size: int
    # ^ of that file, in bytes
    output: str
    token: str
    # ^ a file below the output root that the driver wrote; its name is its content


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What a worker found."""

    software: dict[str, str]
    memory: int
    # ^ bytes that the worker may take
    threads: int
    # ^ images it works on at the same time
    library_threads: int
    # ^ of the widest BLAS or OpenMP pool in the worker
    trouble: str = ""
    # ^ why it cannot read the input or write the output, as a sentence


def check_workers(client: Any, settings: TaskSettings, largest: Sequence[ImageSource]) -> None:
    """Raise RunGivenUp, with a sentence that says what to do, when a worker cannot do what the run asks of it."""
    outputs = open_root(settings.output)
    token = partial_name()
    outputs.write(f"{PARTIAL}/{token}", token.encode())
    try:
        reports = _ask_patiently(client, _probe(largest, settings.output, token))
    finally:
        outputs.remove(f"{PARTIAL}/{token}")
    complaints: dict[str, list[str]] = defaultdict(list)
    for address, report in reports.items():
        for complaint in _complaints(report, settings):
            complaints[complaint].append(address)
    complaints |= _too_large(reports, settings, largest)
    if complaints:
        raise RunGivenUp("; ".join(f"{_named(who, len(reports))} {what}" for what, who in complaints.items()))


def _probe(largest: Sequence[ImageSource], output: str, token: str) -> Probe:
    """What workers are asked; of an image in an archive they are asked for the archive."""
    source = next(iter(largest), None)
    if source is None:
        return Probe("", 0, output, token)
    size = source.size
    if source.part:
        with contextlib.suppress(OSError):
            size = file_size(source.path)
        # ^ what we cannot read ourselves, its task will tell
    return Probe(source.path, size, output, token)


class _WorkerEnded(RunGivenUp):
    """A worker ended while it was checked: perhaps its time was up, and another takes its place."""


def _ask_patiently(client: Any, probe: Probe) -> dict[str, WorkerReport]:
    """The report of every worker that stays; raises RunGivenUp when one after another ends."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(_WorkerEnded):
            return _ask(client, probe)
        time.sleep(_PAUSE_SECONDS)
    return _ask(client, probe)


def _ask(client: Any, probe: Probe) -> dict[str, WorkerReport]:
    """The report of every worker, by its address."""
    where = {**client.run(metadata.version, "flatpipe", on_error="return"), "the scheduler": _on_scheduler(client)}
    for address, version in where.items():
        if isinstance(version, OSError):
            raise _WorkerEnded(f"{_named([address], len(where))} ended while it was checked ({version})")
    missing = [who for who, version in where.items() if not isinstance(version, str)]
    if missing:
        words = f"cannot import flatpipe: install flatpipe {__version__} there, in the Python that runs Dask"
        raise RunGivenUp(f"{_named(missing, len(where))} {words}")
    reports = client.run(report_of_worker, probe, on_error="return")
    for address, report in reports.items():
        if isinstance(report, CommClosedError):
            raise _WorkerEnded(f"{_named([address], len(reports))} ended while it was checked ({report})")
        if not isinstance(report, WorkerReport):
            raise RunGivenUp(f"{_named([address], len(reports))} failed its check: {type(report).__name__}: {report}")
    return dict(reports)


def _on_scheduler(client: Any) -> str | None:
    try:
        return str(client.run_on_scheduler(metadata.version, "flatpipe"))
    except metadata.PackageNotFoundError:
        return None


def report_of_worker(probe: Probe, dask_worker: Any) -> WorkerReport:
    """What holds here; runs in each worker."""
    return WorkerReport(
        software=software() | versions_for({"video"}),
        memory=memory_of(dask_worker),
        threads=dask_worker.state.nthreads,
        library_threads=max((pool["num_threads"] for pool in threadpool_info()), default=1),
        trouble=_trouble(probe),
    )


def _trouble(probe: Probe) -> str:
    if probe.path:
        try:
            size = file_size(probe.path)
        except OSError as error:
            return f"cannot read the input {probe.path} ({error.strerror or error}): {_SHARED}"
        if size != probe.size:
            return f"finds another file at {probe.path}: {_SHARED}"
    outputs = open_root(probe.output)
    try:
        return _output_trouble(outputs, probe.token)
    except OSError as error:
        return f"cannot write to the output {probe.output} ({error.strerror or error}): {_SHARED}"


def _output_trouble(outputs: Root, token: str) -> str:
    try:
        found = outputs.read(f"{PARTIAL}/{token}")
    except FileNotFoundError:
        found = b""
    if found != token.encode():
        return f"sees another folder than we do at the output {outputs.place}: {_SHARED}"
    probe = f"{PARTIAL}/{partial_name()}"
    outputs.write(probe, token.encode())
    # ^ writing renames, as it does for every output
    outputs.remove(probe)
    return ""


@cache
def software() -> dict[str, str]:
    """Versions of all that can change an output, and a digest of flatpipe's own code."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[2].rglob("*.py")):
        digest.update(path.read_bytes())
    python = ".".join(platform.python_version_tuple()[:2])
    return {"flatpipe": __version__, "flatpipe's code": digest.hexdigest()[:12], "python": python, **package_versions()}


def _complaints(report: WorkerReport, settings: TaskSettings) -> Iterable[str]:
    writes_videos = settings.animation.enabled and settings.animation.format in get_args(VideoFormat)
    ours = software() | (versions_for({"video"}) if writes_videos else {})
    differing = [name for name in ours if report.software.get(name) != ours[name]]
    if differing:
        words = ", ".join(f"{name} {report.software.get(name)} (here {ours[name]})" for name in differing)
        yield f"has other software than this driver: {words}; install the same versions from requirements.lock"
    if report.library_threads > 1:
        yield f"lets libraries use {report.library_threads} threads; start it with OMP_NUM_THREADS=1 in its environment"
    if report.trouble:
        yield report.trouble


def _too_large(
    reports: dict[str, WorkerReport], settings: TaskSettings, largest: Sequence[ImageSource]
) -> dict[str, list[str]]:
    """Complaints of workers whose memory is too small for the largest images that the limits let pass."""
    found: dict[str, list[str]] = {}
    for need, what in (_need(source, settings) for source in largest):
        small = [who for who, report in reports.items() if _room(report) < need]
        if small:
            has = min(_room(reports[who]) for who in small)
            words = f"{what} takes about {in_bytes(need)}, and a thread there has {in_bytes(has)} for one image"
            advice = "give workers more memory or fewer threads, or lower limits.max_pixels to set such images aside"
            return {f"has too little memory: {words}; {advice}": small}
    return found


def _need(source: ImageSource, settings: TaskSettings) -> tuple[int, str]:
    """Bytes that one image takes at its worst moment, 0 when it will be refused; and its name and size in words."""
    need = memory_needed(source, settings)
    return (0, "") if need is None else (need.bytes, f"{source.image_id} ({need.pixels / 1e6:.1f} megapixels)")
    # ^ of an image that cannot be read, its task will say what is wrong with it


def _room(report: WorkerReport) -> int:
    return max(0, int((report.memory * _END_SHARE - BASE_BYTES) / report.threads))


def _named(who: Sequence[str], of: int) -> str:
    """`worker tcp://...`, or how many of them with an example."""
    if len(who) == 1:
        return who[0] if " " in who[0] else f"worker {who[0]}"
    return f"each of {len(who)} of {of} workers, such as {who[0]},"
