"""Files of shards that nothing needs any more: found, and dropped once no committed row of the ledger leads to them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from flatpipe import layout
from flatpipe.errors import RunGivenUp
from flatpipe.ledger.ledger import Ledger
from flatpipe.places import is_url
from flatpipe.plan.image_files import PackedFiles
from flatpipe.storage.roots import Root


@dataclass(slots=True)
class Leftovers:
    """The files that may go, and those that tasks remove on their way."""

    outputs: Root
    ledger: Ledger
    pieces: str
    # ^ folder of the run's own
    shards: frozenset[str] | None = None
    # ^ those of the plan, which are written over; None in a part of a run, which knows no shard
    _waiting: list[str] = field(default_factory=list)
    _found: set[str] = field(default_factory=set)
    # ^ those that wait, and those that were handed out
    _folders: set[str] = field(default_factory=set)
    # ^ in which there were any

    def forget_lost(self, name_width: int) -> None:
        """Drop pieces that the ledger does not know, and what it has of tar files that are not there.

        Raises RunGivenUp. It is asked before work begins: a killed run has left them.
        """
        packs, known = self.ledger.packs, {one.file for one in self.ledger.packs.files()}
        self._folders.add(self.pieces)
        try:
            whole = PackedFiles(self.outputs, self.ledger, name_width).whole
            packs.forget(sorted(known - whole))
            for name in self.outputs.sizes(self.pieces):
                if layout.is_piece_name(name) and f"{self.pieces}/{name}" not in whole:
                    self.outputs.remove(f"{self.pieces}/{name}")
        except OSError as error:
            raise RunGivenUp(f"the output cannot be read: {error.strerror or error}") from error
        self.ledger.commit()

    def find(self) -> None:
        """Look for files that nothing needs; all that was recorded must be committed."""
        files = [file for file in self.ledger.packs.unneeded() if self._may_go(file) and file not in self._found]
        self._found.update(files)
        self._waiting += files
        self._folders |= {file.rpartition("/")[0] for file in files}

    def handed_out(self) -> tuple[str, ...]:
        """Files for a task to remove; the ledger knows them until they are gone."""
        waiting, self._waiting = tuple(self._waiting), []
        return waiting

    def drop(self) -> None:
        """Remove what is left of them, and folders of pieces in which there is none; raises RunGivenUp."""
        self.find()
        waiting = self.handed_out()
        try:
            for name in waiting:
                self.outputs.remove(name)
        except OSError as error:
            raise RunGivenUp(f"the output cannot be written: {error.strerror or error}") from error
        self.ledger.packs.forget(waiting)
        self.ledger.commit()
        for folder in () if is_url(self.outputs.place) else self._folders:
            with contextlib.suppress(OSError):
                Path(self.outputs.place, folder).rmdir()
                # ^ not empty: there are pieces of images that another run is to do

    def _may_go(self, file: str) -> bool:
        """Whether a file that nothing needs may go: of the plan's shards each is written over, of others' all stay."""
        return file.startswith(f"{self.pieces}/") if self.shards is None else file not in self.shards
