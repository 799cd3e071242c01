"""What the ledger says of the outputs that a config asks for, image by image, as a stream; and how one differs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import ImageDigests, Results
from flatpipe.plan.inputs.places import starts_of
from flatpipe.plan.palettes.colors import ks_of
from flatpipe.records import ImageSource

Damage = Literal["changed", "missing", "unreadable", "input changed", "input missing"]
Kind = Damage | Literal["recomputed otherwise", "not recomputed"]


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """One output as recorded. `k` is None for what is made of all k together."""

    name: str
    # ^ below the output root; of a file in a tar file that, "/" and its name there
    sha256: str
    k: int | None
    own: str = ""
    # ^ its name as its task gave it: "k07.png", "sweep.gif"


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
    pack: str = ""
    # ^ the tar file that holds the files; "": each is one of its own


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as the ledger says."""

    image_id: str
    # ^ "" of a file beside the images
    kind: Kind
    name: str
    # ^ file below the output root, or the input's path
    k: int | None = None
    # ^ of a flat image
    detail: str = ""
    # ^ why it could not be recomputed


def recorded_images(ledger: Ledger, results: Results, config: Config) -> Iterator[RecordedImage]:
    """Every image of the last run's plan, in the ledger's order."""
    moved = _moved_input(ledger, config)
    ks = ks_of(config)
    width = layout.name_width(ks, adds=ledger.adds_up())
    are_packed = config.output.layout == "shards"
    for image in results.digests():
        yield _recorded(image, ks, width, moved, are_packed=are_packed)


Moves = list[tuple[str, str]]
# ^ where a place of the input was, and where it is


def _moved_input(ledger: Ledger, config: Config) -> Moves:
    """Where the last run's input was, and where the config says it is: nothing, unless the whole project has moved."""
    run = ledger.last_run()
    now = starts_of(config.recorded()["input"])
    before = now if run is None else starts_of(json.loads(run.config)["input"])
    places = zip(before, now, strict=True) if len(before) == len(now) else ()
    return [(f"{old.rstrip('/')}/", f"{new.rstrip('/')}/") for old, new in places if old != new]


def _recorded(image: ImageDigests, ks: tuple[int, ...], width: int, moves: Moves, *, are_packed: bool) -> RecordedImage:
    image_id, path = image.source.image_id, image.source.path
    path = next((new + path.removeprefix(old) for old, new in moves if path.startswith(old)), path)
    made = tuple(k for k, _ in image.flats)
    own: list[tuple[str, str, int | None]]
    own = [(layout.flat_name(k, width), sha256, k) for k, sha256 in image.flats if sha256]
    own += [(name, sha256, None) for name, sha256 in image.files or ()]
    files = (
        RecordedFile(f"{image.pack}{name}" if are_packed else layout.sweep_file(image_id, name), sha256, k, name)
        for name, sha256, k in own
    )
    is_complete = image.files is not None and set(made).issuperset(ks)
    pack = image.pack.rpartition("/")[0] if are_packed else ""
    return RecordedImage(replace(image.source, path=path), image.content, tuple(files), is_complete, made, pack)


def kind_of(read: Callable[[], bytes], sha256: str) -> Kind | None:
    """How what is read differs from what has this digest; None where it does not."""
    try:
        content = read()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError:
        return "unreadable"
    return None if hashlib.sha256(content).hexdigest() == sha256 else "changed"
