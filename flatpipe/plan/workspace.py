"""The places and choices of a run, opened: config, settings, outputs, ledger. Imports no engine and no kernel."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.errors import ConfigError
from flatpipe.ledger.database import Tell, sound
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import Results
from flatpipe.places import check_not_within, is_url
from flatpipe.plan.fingerprint import Fingerprints, fingerprints
from flatpipe.plan.inputs.places import check_input
from flatpipe.plan.inputs.sources import Sources
from flatpipe.plan.opening import Access, Places, opened_ledger
from flatpipe.plan.palettes.colors import ks_of
from flatpipe.plan.palettes.groups import groups_of
from flatpipe.plan.palettes.sharing import Sharing, sharing_of
from flatpipe.plan.parts.part import RunPart
from flatpipe.plan.parts.places import part_ledger_path, part_root
from flatpipe.plan.planner import Planner
from flatpipe.plan.settings import task_settings
from flatpipe.records import SettingsDigests
from flatpipe.settings import TaskSettings
from flatpipe.storage.roots import Root, open_root


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
    places: Places
    ledger: Ledger
    fingerprints: Fingerprints
    part: RunPart | None = None
    # ^ the part of a run that this one is; None: it is a whole one

    @property
    def outputs(self) -> Root:
        """Where images go, and with a whole run all that stands beside them."""
        return self.places.outputs

    @property
    def ledger_path(self) -> str:
        """Where the ledger lies."""
        return self.places.ledger_path

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
    def images_folder(self) -> str:
        """The folder below the output in which the images' own outputs lie."""
        return layout.SHARDS if self.settings.pieces else layout.IMAGES

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
    config: Config,
    access: Access,
    named: Sequence[str] | None = None,
    tell: Tell | None = None,
    part: RunPart | None = None,
) -> Iterator[Workspace]:
    """The run's places, checked; raises ConfigError when they cannot serve, OutputHeld when another run has them.

    Places that are `named` on a command line, instead of the config's input, may hold the outputs, which are passed
    over. `tell` is told, in words, of what is waited for, and of a run that is gone and whose place this one takes.
    With a `part`, the ledger is the part's own.
    """
    settings = task_settings(config)
    if access == "merge":
        pass
    elif named is None:
        check_input(config)
    else:
        settings = replace(settings, reading=replace(settings.reading, roots=_one_folder(named)))
        for place in named:
            check_not_within(place, settings.output)
    if part is not None:
        pieces = f"{part.folder}/{settings.pieces}" if settings.pieces else ""
        settings = replace(settings, part=part.name, pieces=pieces)
    places = _places(config, settings, part)
    with opened_ledger(access, places, tell) as ledger, sound(places.ledger_path):
        adds = named is not None if access in ("run", "merge") else ledger.adds_up()
        settings = replace(settings, name_width=layout.name_width(ks_of(config), adds=adds))
        yield Workspace(config, settings, places, ledger, fingerprints(settings, ks_of(config)), part)


def _places(config: Config, settings: TaskSettings, part: RunPart | None) -> Places:
    outputs, whole = open_root(settings.output, settings.part), ledger_path_of(config)
    if part is None:
        return Places(outputs, outputs, whole, whole)
    return Places(outputs, part_root(outputs, part), part_ledger_path(whole, part), whole)


def _one_folder(named: Sequence[str]) -> tuple[str, ...]:
    """The folder that no link may lead out of, where one is named; none where others are: files may be links."""
    return tuple(named) if len(named) == 1 and not is_url(named[0]) and Path(named[0]).is_dir() else ()


def ledger_path_of(config: Config) -> str:
    """Where a whole run's ledger lies; raises ConfigError when the config does not say."""
    state = config.execution.state_path
    if state is not None:
        return str(Path(state) / layout.LEDGER)
    output = str(config.output.path)
    if is_url(output):
        raise ConfigError("output.path is a URL: execution.state_path must name a local folder for the ledger")
    return f"{output}/{layout.LEDGER}"
