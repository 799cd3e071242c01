"""The images of a run by group, with the palettes that they share: opened for a plan, closed with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.sources import FoundImage, SourcesOnDisk
from flatpipe.plan.fingerprint import Fingerprints
from flatpipe.plan.palettes.groups import Groups, groups_of
from flatpipe.plan.palettes.states import SharedPalettes, found_palettes
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.settings import TaskSettings
from flatpipe.storage.roots import Root


@dataclass(frozen=True, slots=True)
class Sharing:
    """All images of the input, and the palettes of their groups."""

    sources: SourcesOnDisk
    palettes: SharedPalettes

    def found(self) -> Iterator[ImageSource | RefusedFile]:
        """Every image of the input, as it was found."""
        for source, _, failure in self.sources.all():
            yield source if failure is None else RefusedFile(source, failure)


@contextlib.contextmanager
def sharing_of(
    config: Config,
    found: Iterable[ImageSource | RefusedFile],
    ledger: Ledger,
    outputs: Root,
    settings: TaskSettings,
    prints: Fingerprints,
    *,
    force: bool = False,
) -> Iterator[Sharing]:
    """What images share, as far as the ledger knows; raises ConfigError for frozen palettes that are not there."""
    groups = groups_of(config)
    with contextlib.closing(SourcesOnDisk(_grouped(groups, found))) as sources:
        frozen = config.palette.frozen
        palettes = found_palettes(groups, sources, ledger, settings, prints, frozen=frozen, force=force)
        if not frozen:
            palettes.incomplete = _incomplete(sources.groups(), ledger, outputs, settings, prints)
        yield Sharing(sources, palettes)


def palette_files(group: str, k: int, settings: TaskSettings) -> list[str]:
    """Names of the files of a group's palette for k."""
    return [layout.shared_name(group, k, kind, settings.name_width) for kind in ("json", *settings.palettes)]


def _grouped(groups: Groups, found: Iterable[ImageSource | RefusedFile]) -> Iterator[FoundImage]:
    for item in found:
        if isinstance(item, RefusedFile):
            yield FoundImage(item.source, None, item.failure)
        else:
            yield FoundImage(item, groups.of(item.image_id), None)


def _incomplete(
    groups: list[str], ledger: Ledger, outputs: Root, settings: TaskSettings, prints: Fingerprints
) -> set[tuple[str, int]]:
    """The palettes, as groups and k, of which a file is not there as it was recorded."""
    recorded = {file.name: file.bytes for file in ledger.beside_files() if file.name.startswith(f"{layout.SHARED}/")}
    there = outputs.sizes_of([layout.shared_folder(group) for group in groups])
    lacking = set()
    for group in groups:
        folder = layout.shared_folder(group)
        sizes = {f"{folder}/{name}": size for name, size in there[folder].items()}
        for k in prints.shared:
            names = palette_files(group, k, settings)
            if any(name not in recorded or recorded[name] != sizes.get(name) for name in names):
                lacking.add((group, k))
    return lacking
