"""What a run is going to do: places checked, ledger opened, every image planned. Imports no engine and no kernel."""

from __future__ import annotations

import contextlib
import fcntl
import fnmatch
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.errors import ConfigError, RunGivenUp
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import Results
from flatpipe.places import check_apart, is_url
from flatpipe.plan.every_frame import every_frame
from flatpipe.plan.fingerprint import Fingerprints, fingerprints
from flatpipe.plan.planner import Planner
from flatpipe.plan.settings import selection, task_settings
from flatpipe.records import ImageSource, PlannedImage, PlanSummary, SettingsDigests, TaskSettings
from flatpipe.storage.discover import RefusedFile, discover
from flatpipe.storage.roots import Root, open_root

REFUSED = "refused"
# ^ reason of an image that will not be opened: it looks like one, and its format is not read
Sources = Iterable[ImageSource | RefusedFile]


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line adds to the config: which of the images, and whether to trust what is there."""

    only: tuple[str, ...] = ()
    # ^ globs of image ids
    only_failed: bool = False
    limit: int | None = None
    force: bool = False
    fail_fast: bool = False
    lock: str | None = None
    # ^ a flatpipe.lock that the run must reproduce; "" is the output's own


@dataclass(frozen=True, slots=True)
class Workspace:
    """The places and choices of one run."""

    config: Config
    settings: TaskSettings
    outputs: Root
    ledger: Ledger
    ledger_path: str
    fingerprints: Fingerprints

    @property
    def ks(self) -> tuple[int, ...]:
        """The numbers of colours asked for."""
        return self.config.flatten.ks

    @property
    def results(self) -> Results:
        """The last run's images with the outputs that the config asks for."""
        return self.ledger.results(self.digests)

    @property
    def digests(self) -> SettingsDigests:
        """Under which digests outputs of the settings are recorded."""
        return SettingsDigests(tuple(self.fingerprints.flat.items()), self.fingerprints.sweep)


@dataclass(slots=True)
class PlanCounts:
    """Counts as the plan streams by."""

    images: int = 0
    current: int = 0
    refused: int = 0
    pairs: int = 0
    sweeps: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def summary(self) -> PlanSummary:
        """The counts, frozen."""
        reasons = tuple(self.reasons.most_common())
        return PlanSummary(self.images, self.current, self.refused, self.pairs, self.sweeps, reasons)


@contextlib.contextmanager
def open_workspace(
    config: Config, *, for_writing: bool, named: Sequence[ImageSource] | None = None
) -> Iterator[Workspace]:
    """The run's places, checked; raises ConfigError when they cannot serve, RunGivenUp when another run has them.

    Images that are `named` one by one may lie beside or above the outputs, since no folder is searched for them.
    """
    settings = task_settings(config)
    outputs = open_root(settings.output)
    for source in [str(config.input.path)] if named is None else [image.path for image in named]:
        check_places(source, settings.output, config.execution.state_path)
    ledger_path = _ledger_path(config)
    with contextlib.ExitStack() as stack:
        if for_writing:
            with _writing(outputs):
                Path(ledger_path).parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(only_run(ledger_path))
            with _writing(outputs):
                outputs.prepare()
                # ^ not before the folder is ours: it drops partial files, which may be another run's
            if not Path(ledger_path).exists():
                outputs.fetch(layout.LEDGER, ledger_path)
                # ^ the state folder is new, the outputs are not: a run from another machine left its ledger with them
            ledger = Ledger(ledger_path)
        else:
            ledger = Ledger(ledger_path if Path(ledger_path).exists() else None, read_only=Path(ledger_path).exists())
        stack.callback(ledger.close)
        prints = fingerprints(settings, config.flatten.ks)
        yield Workspace(config, settings, outputs, ledger, ledger_path, prints)


def plan_images(
    workspace: Workspace, request: Request, counts: PlanCounts, sources: Sources | None = None
) -> Iterator[PlannedImage | RefusedFile]:
    """Every image of the input with what is to be done, as a stream; raises ConfigError when there is no image."""
    planner = Planner(
        workspace.ledger, workspace.outputs, workspace.settings, workspace.ks, workspace.fingerprints, request.force
    )
    is_wanted = _selector(workspace.ledger, request)
    found = input_sources(workspace.config) if sources is None else sources
    refused: list[RefusedFile] = []
    for image in planner.plan(_without_refused(found, refused)):
        yield from _drain(refused, counts)
        planned = image if image.is_current or is_wanted(image.source) else _set_aside(image)
        _count(planned, counts)
        yield planned
    yield from _drain(refused, counts)
    if counts.images == 0:
        raise ConfigError(
            f"{workspace.config.input.path}: no image to flatten; nothing matches input.include "
            f"({', '.join(workspace.config.input.include)})"
        )


def check_places(source: str, output: str, state: str | None = None) -> None:
    """Raise ConfigError when the input is not there, or when input, output and the ledger's folder overlap."""
    if not is_url(source) and not Path(source).exists():
        raise ConfigError(f"{source}: input.path does not exist")
    check_apart(source, output, state)


def _ledger_path(config: Config) -> str:
    state = config.execution.state_path
    if state is not None:
        return str(Path(state) / layout.LEDGER)
    output = str(config.output.path)
    if is_url(output):
        raise ConfigError("output.path is a URL: execution.state_path must name a local folder for the ledger")
    return f"{output}/{layout.LEDGER}"


@contextlib.contextmanager
def _writing(outputs: Root) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{outputs.place}: output.path cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def only_run(ledger_path: str) -> Iterator[None]:
    """Hold the ledger's folder for this run; raises RunGivenUp when another run holds it."""
    folder = os.open(Path(ledger_path).parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunGivenUp(f"{Path(ledger_path).parent}: another flatpipe run is writing here") from None
        except OSError:
            # this file system has no locks: the user must take care that runs do not meet
            pass
        yield
    finally:
        os.close(folder)


def input_sources(config: Config) -> Iterator[ImageSource | RefusedFile]:
    """Every image of the input, in the order of ids; raises ConfigError when it cannot be listed."""
    try:
        found: Sources = discover(selection(config))
        if config.input.frames == "all":
            found = every_frame(found, task_settings(config).decode)
        yield from found
    except OSError as error:
        raise ConfigError(f"{config.input.path}: input.path cannot be read: {error.strerror or error}") from error


def _without_refused(found: Sources, refused: list[RefusedFile]) -> Iterator[ImageSource]:
    for item in found:
        if isinstance(item, RefusedFile):
            refused.append(item)
        else:
            yield item


def _drain(refused: list[RefusedFile], counts: PlanCounts) -> Iterator[RefusedFile]:
    counts.images += len(refused)
    counts.refused += len(refused)
    yield from refused
    refused.clear()


def _selector(ledger: Ledger, request: Request) -> Callable[[ImageSource], bool]:
    failed = {failed.image_id for failed in ledger.failures()} if request.only_failed else set()
    chosen = 0

    def is_wanted(source: ImageSource) -> bool:
        nonlocal chosen
        if request.only and not any(fnmatch.fnmatchcase(source.image_id, glob) for glob in request.only):
            return False
        if request.only_failed and source.image_id not in failed:
            return False
        chosen += 1
        return request.limit is None or chosen <= request.limit

    return is_wanted


def _set_aside(image: PlannedImage) -> PlannedImage:
    return PlannedImage(image.source, (), sweep=False, reason="not selected")


def _count(image: PlannedImage, counts: PlanCounts) -> None:
    counts.images += 1
    counts.pairs += len(image.ks)
    counts.sweeps += image.sweep
    counts.current += image.is_current and not image.reason
    if image.reason:
        counts.reasons[image.reason] += 1
