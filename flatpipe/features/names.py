"""What people call the colours of a palette: the nearest of those that have names."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from flatpipe.palettes.charts import chart
from flatpipe.palettes.palette import PaletteColor
from flatpipe.palettes.titles import cleaned
from flatpipe.quantize.color_space import to_space

_AT_ONCE = 1 << 8
# ^ colours whose distances to all names are held at a time: with the 148 names of style sheets 0.3 MB, which stay near
#   the processor


class NearestNames:
    """Finds names: those that a chart or a config gives, or else those of style sheets."""

    def __init__(self, named: Iterable[tuple[str, str, str]] = ()) -> None:
        """`named` has "#rrggbb", name and code of each colour."""
        colors = [PaletteColor.of_hex(*one) for one in named] or chart("css").colors
        self.names = tuple(cleaned(one.name) or cleaned(one.code) for one in colors)
        levels = np.array([(one.red, one.green, one.blue) for one in colors], np.uint8)
        places = to_space(levels, "oklab").astype(np.float64)
        self._terms = np.vstack([-2 * places.T, (places**2).sum(axis=1)])
        # ^ (4, names): of a colour (L, a, b, 1) they make its squared distances, less what is the same for all names

    def rows_of(self, oklab: NDArray[np.int32]) -> NDArray[np.int32]:
        """For each of some colours in whole Oklab units, (n, 3), the row of the nearest name, the first of equals."""
        points = np.column_stack([oklab, np.ones(len(oklab))])
        rows = np.empty(len(oklab), np.int32)
        for first in range(0, len(oklab), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            rows[part] = np.einsum("ij,jk->ik", points[part], self._terms).argmin(axis=1)
            # ^ whole numbers below 2^53: exact, in whatever order they are added. Not @, for which BLAS takes all cores
        return rows
