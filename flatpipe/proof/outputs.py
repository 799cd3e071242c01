"""What the ledger says of the outputs that a config asks for, image by image, as a stream."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flatpipe import layout
from flatpipe.errors import ConfigError
from flatpipe.ledger.retired import full_name
from flatpipe.plan.workspace import Workspace
from flatpipe.records import ImageSource

_IMAGES = """
SELECT p.image_id, p.path, i.size, i.stamp, p.frame, i.content, s.files, s.settings = ? AND s.content = i.content
FROM planned p JOIN images i USING (image_id) LEFT JOIN sweeps s USING (image_id)
ORDER BY p.image_id
"""
_FLATS = """
SELECT p.image_id, f.k, f.sha256
FROM planned p JOIN images i USING (image_id) JOIN flats f USING (image_id)
WHERE f.content = i.content AND f.settings IN (SELECT value FROM json_each(?))
ORDER BY p.image_id, f.k
"""


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
    """Every image of the last run's plan that was ever read, in the ledger's order; two queries side by side."""
    digests = json.dumps(sorted(workspace.fingerprints.flat.values()))
    flats = itertools.groupby(workspace.ledger.rows(_FLATS, (digests,)), key=lambda row: row[0])
    waiting = next(flats, None)
    moved = _moved_input(workspace)
    for row in workspace.ledger.rows(_IMAGES, (workspace.fingerprints.sweep,)):
        own: list[tuple[Any, ...]] = []
        if waiting is not None and waiting[0] == row[0]:
            own = list(waiting[1])
            waiting = next(flats, None)
        yield _recorded(row, own, workspace.settings.name_width, moved)


def _moved_input(workspace: Workspace) -> tuple[str, str]:
    """Where the last run's input was, and where the config says it is: the same, unless the whole project has moved."""
    now = f"{str(workspace.config.input.path).rstrip('/')}/"
    row = next(workspace.ledger.rows("SELECT config FROM runs ORDER BY rowid DESC LIMIT 1"), None)
    before = now if row is None else f"{json.loads(row[0])['input']['path'].rstrip('/')}/"
    return before, now


def _recorded(row: tuple[Any, ...], flats: list[tuple[Any, ...]], width: int, moved: tuple[str, str]) -> RecordedImage:
    image_id, path, size, stamp, frame, content, others, has_sweep = row
    folder = layout.image_folder(image_id)
    path = moved[1] + path.removeprefix(moved[0]) if path.startswith(moved[0]) else path
    files = [RecordedFile(f"{folder}/{layout.flat_name(k, width)}", sha256, k) for _, k, sha256 in flats]
    if has_sweep:
        files += [RecordedFile(full_name(image_id, name), sha256, None) for name, sha256 in json.loads(others).items()]
    return RecordedImage(ImageSource(image_id, path, size, stamp, frame), content, tuple(files), bool(has_sweep))
