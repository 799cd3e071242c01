"""The colours of a group of images as the palettes of all k are found in them."""

from __future__ import annotations

import threading

from flatpipe.quantize.color_table import ColorTable
from flatpipe.quantize.options import Space
from flatpipe.quantize.pyramid import ColorPyramid
from flatpipe.quantize.shared.clustering import clusterable, shared_pyramid


class GroupColors:
    """A sum of colours, with what every k shares: the pyramid of each space, made by whichever thread asks first."""

    def __init__(self, table: ColorTable) -> None:
        self.table = clusterable(table)
        self._pyramids: dict[Space, ColorPyramid] = {}
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        own: int = self.table.colors.nbytes + self.table.counts.nbytes
        return own + sum(pyramid.nbytes for pyramid in list(self._pyramids.values()))

    def pyramid(self, space: Space) -> ColorPyramid:
        """The colours, fine to coarse."""
        with self._lock:
            if space not in self._pyramids:
                self._pyramids[space] = shared_pyramid(self.table, space)
            return self._pyramids[space]
