"""The places and choices of a run, opened: config, settings, outputs, ledger. Imports no engine and no kernel."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.errors import ConfigError, RunGivenUp
from flatpipe.ledger.database import Tell, sound
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import Results
from flatpipe.places import check_not_within, is_url
from flatpipe.plan.claim import check_claim
from flatpipe.plan.fingerprint import Fingerprints, fingerprints
from flatpipe.plan.holding import only_run
from flatpipe.plan.inputs.places import check_input
from flatpipe.plan.inputs.sources import Sources
from flatpipe.plan.lease import HeldOutput, held_output, live_lease
from flatpipe.plan.palettes.colors import ks_of
from flatpipe.plan.palettes.groups import groups_of
from flatpipe.plan.palettes.sharing import Sharing, sharing_of
from flatpipe.plan.planner import Planner
from flatpipe.plan.settings import task_settings
from flatpipe.records import SettingsDigests
from flatpipe.settings import TaskSettings
from flatpipe.storage.roots import Root, open_root

Access = Literal["read", "amend", "run"]
# ^ read: nothing is written, and nothing held: a run that goes on is not disturbed; where no run has been, the ledger
#   is empty. amend: the ledger of an earlier run, which must be there, may be written, and no run begins meanwhile;
#   outputs are not prepared for a run. run: all is made that is missing


@dataclass(frozen=True, slots=True)
class Planning:
    """What decides on each image, and the images."""

    planner: Planner
    sources: Sources
    sharing: Sharing | None = None
    # ^ the images by group, where they share palettes


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
        return ks_of(self.config)

    @contextlib.contextmanager
    def planning(self, found: Sources, *, force: bool = False) -> Iterator[Planning]:
        """What plans these images, all those of the input; raises ConfigError for frozen palettes that are not there.

        With `force`, what is there counts for nothing.
        """
        planner = Planner(self.ledger, self.outputs, self.settings, self.ks, self.fingerprints, force)
        if not self.config.palette.is_shared:
            yield Planning(planner, found)
            return
        places = self.ledger, self.outputs
        with sharing_of(self.config, found, *places, self.settings, self.fingerprints, force=force) as sharing:
            yield Planning(replace(planner, shared=sharing.palettes), sharing.found(), sharing)

    def settings_for(self, image_id: str) -> TaskSettings:
        """The settings of an image's tasks, with the palettes that are recorded for its group."""
        group = groups_of(self.config).of(image_id)
        if group is None:
            return self.settings
        known = self.ledger.shared.palettes(group).values()
        given = tuple(one.given for one in known if one.k in self.ks)
        return replace(self.settings, given=given)

    @property
    def results(self) -> Results:
        """The last run's images with the outputs that the config asks for."""
        return self.ledger.results(self.digests)

    @property
    def digests(self) -> SettingsDigests:
        """Under which digests outputs of the settings are recorded."""
        return SettingsDigests(tuple(self.fingerprints.flat.items()), self.fingerprints.sweep)


@contextlib.contextmanager
def open_workspace(
    config: Config, access: Access, named: Sequence[str] | None = None, tell: Tell | None = None
) -> Iterator[Workspace]:
    """The run's places, checked; raises ConfigError when they cannot serve, RunGivenUp when another run has them.

    Places that are `named` on a command line, instead of the config's input, may hold the outputs, which are passed
    over. `tell` is told, in words, of what is waited for, and of a run that is gone and whose place this one takes.
    """
    settings = task_settings(config)
    if named is None:
        check_input(config)
    else:
        settings = replace(settings, reading=replace(settings.reading, roots=_one_folder(named)))
        for place in named:
            check_not_within(place, settings.output)
    outputs = open_root(settings.output)
    path = _ledger_path(config)
    with _OPENED[access](path, outputs, tell) as ledger, sound(path):
        adds = named is not None if access == "run" else ledger.adds_up()
        settings = replace(settings, name_width=layout.name_width(ks_of(config), adds=adds))
        yield Workspace(config, settings, outputs, ledger, path, fingerprints(settings, ks_of(config)))


def _one_folder(named: Sequence[str]) -> tuple[str, ...]:
    """The folder that no link may lead out of, where one is named; none where others are: files may be links."""
    return tuple(named) if len(named) == 1 and not is_url(named[0]) and Path(named[0]).is_dir() else ()


@contextlib.contextmanager
def _to_read(path: str, _outputs: Root, _tell: Tell | None) -> Iterator[Ledger]:
    is_there = _is_there(path)
    with contextlib.closing(Ledger(path if is_there else None, read_only=is_there)) as ledger:
        yield ledger


@contextlib.contextmanager
def _to_amend(path: str, outputs: Root, tell: Tell | None) -> Iterator[Ledger]:
    if not _is_there(path):
        raise ConfigError(f"{path}: no ledger here; no run has been here yet")
    read_only = not os.access(path, os.W_OK)
    # ^ it can still be read; what writes says that it cannot
    with only_run(path), _alone_at(outputs, path):
        _check_lease(outputs, path)
        with contextlib.closing(Ledger(path, read_only=read_only, tell=tell)) as ledger:
            yield ledger


@contextlib.contextmanager
def _to_run(path: str, outputs: Root, tell: Tell | None) -> Iterator[Ledger]:
    with _writing(outputs):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    with only_run(path), contextlib.ExitStack() as stack:
        check_claim(outputs, path)
        with _writing(outputs):
            outputs.probe()
            stack.enter_context(_alone_at(outputs, path))
            held = stack.enter_context(held_output(outputs, path, tell))
            outputs.prepare()
            # ^ not before the folder is ours: it drops partial files, which may be another run's
            if not Path(path).exists():
                outputs.fetch(layout.LEDGER, path)
                # ^ the state folder is new, the outputs are not: a run from another machine left its ledger with them
        with contextlib.closing(Ledger(path, settle=partial(_settle, outputs, held), tell=tell)) as ledger:
            yield ledger


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError as error:
        raise ConfigError(f"{path}: the ledger cannot be read: {error.strerror or error}") from error


_OPENED = {"read": _to_read, "amend": _to_amend, "run": _to_run}


def _ledger_path(config: Config) -> str:
    state = config.execution.state_path
    if state is not None:
        return str(Path(state) / layout.LEDGER)
    output = str(config.output.path)
    if is_url(output):
        raise ConfigError("output.path is a URL: execution.state_path must name a local folder for the ledger")
    return f"{output}/{layout.LEDGER}"


def _alone_at(outputs: Root, path: str) -> contextlib.AbstractContextManager[None]:
    """Hold an output folder whose ledger is elsewhere as the ledger's folder is held: against runs of this machine."""
    if is_url(outputs.place) or not Path(outputs.place).is_dir() or Path(path).parent.samefile(outputs.place):
        return contextlib.nullcontext()
    return only_run(f"{outputs.place}/{layout.LEDGER}")


def _check_lease(outputs: Root, path: str) -> None:
    """Raise RunGivenUp when a run of another machine writes to the output, ConfigError when that cannot be read."""
    try:
        live_lease(outputs, path)
    except OSError as error:
        raise ConfigError(f"{outputs.place}: output.path cannot be read: {error.strerror or error}") from error


def _settle(outputs: Root, held: HeldOutput) -> None:
    """Return when the outputs lie on their disk, and are still this run's; raises RunGivenUp."""
    try:
        held.check()
        outputs.settle()
    except OSError as error:
        raise RunGivenUp(f"the output cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def _writing(outputs: Root) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunGivenUp(f"{outputs.place}: output.path cannot be written: {error.strerror}") from error
        raise ConfigError(f"{outputs.place}: output.path cannot be written: {error.strerror or error}") from error
