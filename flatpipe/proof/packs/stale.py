"""Tar files of outputs that nobody needs, and files in folders that tar files have taken the place of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flatpipe import layout
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.packs.rows import PackFile
from flatpipe.storage.roots import Root


@dataclass(slots=True)
class InPacks:
    """Which images have their outputs in a tar file, and may have files in a folder of their own from before."""

    ledger: Ledger
    outputs: Root
    _last: tuple[str, bool] = ("", False)
    _may_be: bool | None = None

    def has(self, image_id: str) -> bool:
        """Whether an image has; ask for one after another."""
        if self._may_be is None:
            self._may_be = self.ledger.packs.are_there and bool(self.outputs.first_file(layout.IMAGES))
        if not self._may_be:
            return False
        if self._last[0] != image_id:
            self._last = image_id, bool(self.ledger.packs.of([image_id]))
        return self._last[1]


def stale_packs(ledger: Ledger, is_gone: Callable[[str], bool]) -> Iterator[tuple[PackFile, bool]]:
    """Every tar file that holds nothing of an image that is there, and whether it holds any that is gone."""
    for pack in ledger.packs.files():
        held = ledger.packs.within(pack.file)
        if all(is_gone(image.image_id) for image in held):
            yield pack, bool(held)
