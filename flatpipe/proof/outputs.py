"""What the ledger says of the outputs that a config asks for, image by image, as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import ImageDigests, Results
from flatpipe.plan.inputs.places import starts_of
from flatpipe.plan.palettes.colors import ks_of
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
    # ^ sha256 of the input; "" when it was never read
    files: tuple[RecordedFile, ...]
    # ^ flats by k, where they have a file, then what the sweep task wrote; empty of an image that failed or is not done
    is_complete: bool
    # ^ whether every k and the sweep are there
    ks: tuple[int, ...]
    # ^ the k that are there, with a file or without


def recorded_images(ledger: Ledger, results: Results, config: Config) -> Iterator[RecordedImage]:
    """Every image of the last run's plan, in the ledger's order."""
    moved = _moved_input(ledger, config)
    ks = ks_of(config)
    width = layout.name_width(ks, adds=ledger.adds_up())
    for image in results.digests():
        yield _recorded(image, ks, width, moved)


Moves = list[tuple[str, str]]
# ^ where a place of the input was, and where it is


def _moved_input(ledger: Ledger, config: Config) -> Moves:
    """Where the last run's input was, and where the config says it is: nothing, unless the whole project has moved."""
    run = ledger.last_run()
    now = starts_of(config.recorded()["input"])
    before = now if run is None else starts_of(json.loads(run.config)["input"])
    places = zip(before, now, strict=True) if len(before) == len(now) else ()
    return [(f"{old.rstrip('/')}/", f"{new.rstrip('/')}/") for old, new in places if old != new]


def _recorded(image: ImageDigests, ks: tuple[int, ...], width: int, moves: Moves) -> RecordedImage:
    image_id, path = image.source.image_id, image.source.path
    folder = layout.image_folder(image_id)
    path = next((new + path.removeprefix(old) for old, new in moves if path.startswith(old)), path)
    made = tuple(k for k, _ in image.flats)
    files = [RecordedFile(f"{folder}/{layout.flat_name(k, width)}", digest, k) for k, digest in image.flats if digest]
    files += [RecordedFile(layout.sweep_file(image_id, name), sha256, None) for name, sha256 in image.files or ()]
    is_complete = image.files is not None and set(made).issuperset(ks)
    return RecordedImage(replace(image.source, path=path), image.content, tuple(files), is_complete, made)
