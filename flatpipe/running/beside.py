"""Files that stand beside the images, as the ledger has them: each with digest and size, so that none goes unseen."""

from __future__ import annotations

from dataclasses import dataclass

from flatpipe import layout
from flatpipe.ledger.answers import BesideFile
from flatpipe.ledger.ledger import Ledger
from flatpipe.storage.noting import NotingFiles
from flatpipe.storage.roots import Root, sizes_of_files


@dataclass(frozen=True, slots=True)
class BesideState:
    """What is known of these files before a run's end writes them anew."""

    recorded: frozenset[str]
    damaged: frozenset[str]
    # ^ recorded, and not there with the recorded size; those of other content only when `verify` has found them

    @property
    def is_report_whole(self) -> bool:
        """Whether a report is recorded, and all its files are there."""
        return any(map(_is_of_report, self.recorded)) and not any(map(_is_of_report, self.damaged))

    def are_whole(self, *names: str) -> bool:
        """Whether these files are recorded and there."""
        return self.recorded.issuperset(names) and self.damaged.isdisjoint(names)


def beside_state(ledger: Ledger, outputs: Root) -> BesideState:
    """The state of all recorded files, by one listing of each of their folders; raises OSError."""
    files = list(ledger.beside_files())
    there = sizes_of_files(outputs, (file.name for file in files))
    damaged = (file.name for file in files if there.get(file.name) != file.bytes)
    return BesideState(frozenset(file.name for file in files), frozenset(damaged))


def note_written(ledger: Ledger, written: NotingFiles) -> None:
    """Record what was written and removed; commits, once that lies on its disk."""
    ledger.note_beside(
        (BesideFile(name, one.sha256, one.bytes) for name, one in written.noted.items()), written.removed
    )
    ledger.commit()


def forget_report(ledger: Ledger, state: BesideState) -> None:
    """Drop what is recorded of a report that is no longer asked for: what became of it is no fault."""
    ledger.note_beside((), [name for name in state.recorded if _is_of_report(name)])


def _is_of_report(name: str) -> bool:
    return name == layout.INDEX or name.startswith(f"{layout.GALLERY}/")
