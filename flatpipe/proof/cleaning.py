"""Outputs that the config no longer asks for: other k, images gone from the input, files of earlier settings."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.errors import RunGivenUp
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.names import NamesOnDisk
from flatpipe.places import is_url
from flatpipe.plan.inputs import input_images
from flatpipe.storage.roots import Root

Why = Literal["image gone", "k not asked for", "replaced"]
_WIDTHS = (2, 3)
# ^ digits of k in file names: 99 and 100 may both be the widest k once


@dataclass(frozen=True, slots=True)
class StaleFile:
    """A file that flatpipe wrote and that nobody asks for now."""

    name: str
    # ^ below the output root
    why: Why
    bytes: int
    is_ours: bool
    # ^ False when its bytes are not those that were written: it stays


def listed_input(config: Config) -> NamesOnDisk:
    """The ids of all images of the input; close it after use. Raises ConfigError when it cannot be listed."""
    return NamesOnDisk(source.image_id for source in input_images(config))


def stale_files(ledger: Ledger, outputs: Root, present: NamesOnDisk, ks: tuple[int, ...]) -> Iterator[StaleFile]:
    """Every such file that is there, as a stream. Reads them: what was changed since is told apart."""
    for name, sha256, why in _recorded(ledger, present, ks):
        try:
            content = outputs.read(name)
        except OSError:
            continue
        yield StaleFile(name, why, len(content), hashlib.sha256(content).hexdigest() == sha256)


def remove(outputs: Root, file: StaleFile) -> None:
    """Delete one file, and the folders that it leaves empty; raises RunGivenUp when that fails."""
    try:
        outputs.remove(file.name)
    except OSError as error:
        raise RunGivenUp(f"{file.name}: cannot be deleted: {error.strerror or error}") from error
    if is_url(outputs.place):
        return
    folder, top = Path(outputs.place, file.name).parent, Path(outputs.place)
    with contextlib.suppress(OSError):
        # ^ not empty: there is more in it
        while folder.parent != top:
            folder.rmdir()
            folder = folder.parent


def forget(ledger: Ledger, present: NamesOnDisk, ks: tuple[int, ...]) -> None:
    """Drop from the ledger what `stale_files` tells of; call it when they are removed. Raises RunGivenUp."""
    ledger.forget([image_id for image_id in ledger.image_ids() if image_id not in present], ks)


def _recorded(ledger: Ledger, present: NamesOnDisk, ks: tuple[int, ...]) -> Iterator[tuple[str, str, Why]]:
    """Name, digest and reason of every recorded file that nobody asks for, whether it is there or not."""
    width = layout.name_width(ks)
    for flat in ledger.flat_files():
        is_gone, is_wanted = flat.image_id not in present, flat.k in ks
        why: Why = "image gone" if is_gone else "replaced" if is_wanted else "k not asked for"
        wanted = layout.flat_name(flat.k, width) if is_wanted and not is_gone else ""
        for name in sorted({layout.flat_name(flat.k, digits) for digits in _WIDTHS} - {wanted}):
            yield f"{layout.image_folder(flat.image_id)}/{name}", flat.sha256, why
    for file in ledger.sweep_files():
        if file.image_id not in present:
            yield layout.sweep_file(file.image_id, file.name), file.sha256, "image gone"
    for retired in ledger.retired_files():
        yield retired.name, retired.sha256, "replaced"
