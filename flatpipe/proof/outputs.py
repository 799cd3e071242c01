"""What the ledger says of the outputs that a config asks for, image by image, as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from flatpipe import layout
from flatpipe.errors import ConfigError
from flatpipe.ledger.results import ImageDigests
from flatpipe.plan.workspace import Workspace
from flatpipe.records import ImageSource


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """One output as recorded. `k` is None for what is made of all k together."""

    name: str
    # ^ below the output root
    sha256: str
    k: int | None


@dataclass(frozen=True, slots=True)
class RecordedImage:
    """One image of the last run's plan, with the outputs that are recorded under the config's settings."""

    source: ImageSource
    content: str
    # ^ sha256 of the input
    files: tuple[RecordedFile, ...]
    # ^ flats by k, then what the sweep task wrote; empty when the image has failed, or is not done
    has_sweep: bool

    @property
    def ks(self) -> tuple[int, ...]:
        """The k that are there."""
        return tuple(file.k for file in self.files if file.k is not None)


def require_ledger(workspace: Workspace) -> None:
    """Raise ConfigError when there is no ledger to speak of."""
    if not Path(workspace.ledger_path).exists():
        raise ConfigError(f"{workspace.ledger_path}: no ledger here; no run has been here yet")


def recorded_images(workspace: Workspace) -> Iterator[RecordedImage]:
    """Every image of the last run's plan that was ever read, in the ledger's order."""
    moved = _moved_input(workspace)
    for image in workspace.results.digests():
        if image.content:
            yield _recorded(image, workspace.settings.name_width, moved)


def _moved_input(workspace: Workspace) -> tuple[str, str]:
    """Where the last run's input was, and where the config says it is: the same, unless the whole project has moved."""
    now = f"{str(workspace.config.input.path).rstrip('/')}/"
    run = workspace.ledger.last_run()
    before = now if run is None else f"{json.loads(run.config)['input']['path'].rstrip('/')}/"
    return before, now


def _recorded(image: ImageDigests, width: int, moved: tuple[str, str]) -> RecordedImage:
    image_id, path = image.source.image_id, image.source.path
    folder = layout.image_folder(image_id)
    path = moved[1] + path.removeprefix(moved[0]) if path.startswith(moved[0]) else path
    files = [RecordedFile(f"{folder}/{layout.flat_name(k, width)}", sha256, k) for k, sha256 in image.flats]
    files += [RecordedFile(layout.sweep_file(image_id, name), sha256, None) for name, sha256 in image.files or ()]
    return RecordedImage(replace(image.source, path=path), image.content, tuple(files), image.files is not None)
