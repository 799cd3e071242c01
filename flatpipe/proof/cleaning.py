"""Outputs that the config no longer asks for: other k, images gone from the input, files of earlier settings."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flatpipe import layout
from flatpipe.errors import RunGivenUp
from flatpipe.ledger.answers import FlatFile
from flatpipe.ledger.ledger import Ledger
from flatpipe.places import is_url
from flatpipe.proof.listed_input import ListedInput
from flatpipe.proof.packs.stale import InPacks, stale_packs
from flatpipe.storage.packs.blocks import blocks_of
from flatpipe.storage.roots import Root
from flatpipe.text import counted

Why = Literal["image gone", "k not asked for", "replaced"]
_USUAL_SHARE = 0.1
# ^ of all outputs that may go without their number being named
_NAMED = 5
# ^ unreadable things that a message names


@dataclass(frozen=True, slots=True)
class StaleFile:
    """A file that flatpipe wrote and that nobody asks for now."""

    name: str
    # ^ below the output root
    why: Why
    bytes: int
    image_id: str
    # ^ of the image whose it was; of a replaced file the folder that it lies in
    is_ours: bool
    # ^ False when its bytes are not those that were written: it stays


@dataclass(slots=True)
class Cleaning:
    """What a cleaning comes to, counted as files go by."""

    recorded: int = 0
    # ^ outputs that the ledger knows
    files: int = 0
    # ^ to be deleted
    bytes: int = 0
    kept: int = 0
    # ^ stale, but changed since they were written

    @property
    def is_unusual(self) -> bool:
        """Whether so much would go that something else may be wrong."""
        return self.files > _USUAL_SHARE * self.recorded

    def count(self, file: StaleFile) -> None:
        """Take note of a stale file."""
        self.kept += not file.is_ours
        self.files += file.is_ours
        self.bytes += file.bytes * file.is_ours


def stale_files(
    ledger: Ledger, outputs: Root, listed: ListedInput, ks: tuple[int, ...], counts: Cleaning
) -> Iterator[StaleFile]:
    """Every such file that is there, as a stream, counted. Reads them: what was changed since is told apart.

    What the ledger names outside the folders of images, or behind a link, is no file of ours.
    """
    recorded = itertools.chain(_recorded(ledger, outputs, listed, ks, counts), _packs(ledger, listed, counts))
    for image_id, name, sha256, why in recorded:
        if not _is_own_place(outputs, name):
            continue
        digest, size = hashlib.sha256(), 0
        try:
            for block in blocks_of(outputs, name):
                digest.update(block)
                size += len(block)
        except OSError:
            continue
        file = StaleFile(name, why, size, image_id, digest.hexdigest() == sha256)
        counts.count(file)
        yield file


def obstacle(counts: Cleaning, listed: ListedInput, agreed: int | None, command: str) -> str:
    """Why what was found may not be deleted, and what to do about it; "" when it may.

    `agreed` is the number that the user has named, `command` what the user would run, the number excepted.
    """
    if listed.unreadable:
        named = ", ".join(listed.unreadable[:_NAMED]) + ", ..." * (len(listed.unreadable) > _NAMED)
        return f"input.path cannot be read in full, and what lies there may not be gone: {named}"
    files = counted(counts.files, "file")
    if agreed is not None and agreed != counts.files:
        return f"{files} would go now, not {agreed:,}: {command} --yes {counts.files}"
    if agreed is None and counts.is_unusual:
        return f"{files} of {counts.recorded:,} outputs would go; if that is right: {command} --yes {counts.files}"
    return ""


def remove(outputs: Root, file: StaleFile) -> None:
    """Delete one file, and the folders that it leaves empty; raises RunGivenUp when that fails."""
    if not _is_own_place(outputs, file.name):
        return
        # ^ since it was listed, a folder has become a link
    try:
        outputs.remove(file.name)
    except OSError as error:
        raise RunGivenUp(f"{file.name}: cannot be deleted: {error.strerror or error}") from error
    if is_url(outputs.place):
        return
    tops = {Path(outputs.place, top) for top in layout.CLEANED}
    folder = Path(outputs.place, file.name).parent
    with contextlib.suppress(OSError):
        # ^ not empty: there is more in it
        while folder not in tops:
            folder.rmdir()
            folder = folder.parent


def forget(ledger: Ledger, listed: ListedInput, ks: tuple[int, ...]) -> None:
    """Drop from the ledger what `stale_files` tells of; call it when they are removed. Raises RunGivenUp."""
    ledger.forget([image_id for image_id in ledger.image_ids() if listed.is_gone(image_id)], ks)
    with ledger.transaction():
        ledger.packs.forget(ledger.packs.unneeded())


def _is_own_place(outputs: Root, name: str) -> bool:
    """Whether a name leads to one of the folders of images without a link: a ledger may come from anywhere."""
    is_below = any(name.startswith(f"{top}/") for top in layout.CLEANED)
    if not is_below or not {"", ".", ".."}.isdisjoint(name.split("/")):
        return False
    return is_url(outputs.place) or os.path.realpath(f"{outputs.place}/{name}") == (
        f"{os.path.realpath(outputs.place).rstrip('/')}/{name}"
    )


def _recorded(
    ledger: Ledger, outputs: Root, listed: ListedInput, ks: tuple[int, ...], counts: Cleaning
) -> Iterator[tuple[str, str, str, Why]]:
    """Image, name, digest and reason of every recorded file that nobody asks for, whether it is there or not."""
    width = layout.name_width(ks, adds=ledger.adds_up())
    in_packs = InPacks(ledger, outputs)
    for flat in ledger.flat_files():
        counts.recorded += 1
        if in_packs.has(flat.image_id):
            continue
            # ^ what lay in a folder before was retired
        why = _why_stale(flat, listed, ks)
        wanted = layout.flat_name(flat.k, width) if why == "replaced" else ""
        if why == "image gone" and listed.holds_place_of(flat.image_id):
            continue
        for name in sorted({layout.flat_name(flat.k, digits) for digits in layout.NAME_WIDTHS} - {wanted}):
            yield flat.image_id, f"{layout.image_folder(flat.image_id)}/{name}", flat.sha256, why
    for file in ledger.sweep_files():
        counts.recorded += 1
        is_free = "/" in file.name or not listed.holds_place_of(file.image_id)
        if listed.is_gone(file.image_id) and is_free and not in_packs.has(file.image_id):
            yield file.image_id, layout.sweep_file(file.image_id, file.name), file.sha256, "image gone"
    for retired in ledger.retired_files():
        counts.recorded += 1
        folder = retired.name.rpartition("/")[0].removeprefix(f"{layout.IMAGES}/")
        if not (listed.is_gone(folder) and listed.holds_place_of(folder)):
            yield folder, retired.name, retired.sha256, "replaced"


def _packs(ledger: Ledger, listed: ListedInput, counts: Cleaning) -> Iterator[tuple[str, str, str, Why]]:
    """The same of every tar file of outputs."""
    for pack, has_rows in stale_packs(ledger, listed.is_gone):
        yield pack.file.rpartition("/")[0], pack.file, pack.sha256, "image gone" if has_rows else "replaced"
    counts.recorded += len(ledger.packs.files())


def _why_stale(flat: FlatFile, listed: ListedInput, ks: tuple[int, ...]) -> Why:
    """Why nobody asks for a flat; of one that is asked for, "replaced": a file of another width may be left."""
    if listed.is_gone(flat.image_id):
        return "image gone"
    return "replaced" if flat.k in ks else "k not asked for"
