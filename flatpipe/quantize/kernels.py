"""Calls that compile every kernel, in parts that take about equally long: other processes may do one each.

Each part makes its own arguments, so that it needs no kernel of another part; a test holds that an image finds all
compiled after them. numba compiles for the types and the memory layout of arguments: what they hold does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.choosing.medoids import swap_chosen
from flatpipe.quantize.choosing.weighing import best_choice
from flatpipe.quantize.color_table import ColorTable, IndexedImage, frozen, index_colors
from flatpipe.quantize.dithering.dithered import dithered_labels, measure_pixels
from flatpipe.quantize.dithering.last_frame import diffuse
from flatpipe.quantize.flatten import flatten_indexed, flatten_to
from flatpipe.quantize.options import Dither, FlattenOptions, Space
from flatpipe.quantize.pyramid import Cells, Points
from flatpipe.quantize.search.filtering import filtered_lloyd
from flatpipe.quantize.search.kmeans import lloyd
from flatpipe.quantize.search.local_swaps import improve_many
from flatpipe.quantize.search.multilevel import Effort, search
from flatpipe.quantize.search.seeding import kmeans_plusplus
from flatpipe.quantize.shared.clustering import clusterable, join_colors
from flatpipe.quantize.shared.color_sums import add_tables
from flatpipe.quantize.shared.stored_table import table_from_bytes, table_to_bytes


def _points() -> Points:
    return Points(np.arange(24, dtype=np.float32).reshape(3, 8), np.ones((8, 4), np.int64))


def _centroids() -> NDArray[np.float32]:
    return np.arange(6, dtype=np.float32).reshape(2, 3)


def _pixels() -> NDArray[np.uint8]:
    return np.arange(16 * 16 * 3).reshape(16, 16, 3).astype(np.uint8)


def _search() -> None:
    effort = Effort(coarse=1, middle=1, starts=1, tries=1, candidates=1, polish=2)
    search(_points(), _points(), _points(), np.zeros((1, 2, 2)), _centroids()[:1], effort, 0.1, 1.0)


def _many() -> None:
    improve_many(_points(), _centroids(), np.zeros((1, 1, 2, 3)), 1, 0.1, 1.0, 0)


def _filtering() -> None:
    means = Points(np.zeros((3, 2), np.float32), np.ones((2, 4), np.int64))
    cells = Cells(np.array([0, 4, 8]), means, np.ones(2, np.float32))
    filtered_lloyd(_points(), cells, _centroids(), 1, 0.1, 1.5, True, 0)


def _seeding() -> None:
    kmeans_plusplus(_points(), 2, np.random.default_rng(0))


def _iteration() -> None:
    lloyd(_points(), _centroids(), 1, 0.1, 0)


def _colors() -> None:
    """All kernels but those of the search: with as many colours as k, nothing is searched for."""
    pixels = _pixels()
    image = index_colors(pixels, pixels[:, :, 0])
    for space in get_args(Space):
        image.pyramid(space).sketch(2)
        flatten_indexed(image, 256, FlattenOptions(space=space))
        flatten_to(image, pixels[0], FlattenOptions(space=space))


def _dithering() -> None:
    diffuse(_pixels(), np.zeros((3, 2), np.int32))


def _mixing() -> None:
    """All kernels of dithering to a palette that is given."""
    cells, opacity = frozen(np.zeros((2, 2), np.uint32)), frozen(np.ones((2, 2), np.uint8))
    image = IndexedImage(ColorTable(frozen(_pixels()[0]), np.ones(16, np.int64)), cells, opacity)
    for dither in get_args(Dither)[1:]:
        # ^ all but none
        labels = dithered_labels(image, _pixels()[0], np.zeros(16, np.uint8), FlattenOptions(dither=dither))
        measure_pixels(image, _pixels()[0], labels)


def _shared() -> None:
    table = index_colors(_pixels()).table
    table = clusterable(table_from_bytes(table_to_bytes(add_tables([table, table]))))
    join_colors(table, "rgb")


def _choosing() -> None:
    targets = _centroids()
    swap_chosen(_points(), targets, np.arange(2), 0)
    pyramid = index_colors(_pixels()).pyramid("rgb")
    best_choice(pyramid, targets.astype(np.float64), 1, 0)


PARTS: dict[str, Callable[[], None]] = {
    "many": _many,
    "search": _search,
    "filtering": _filtering,
    "colours": _colors,
    "seeding": _seeding,
    "iteration": _iteration,
    "dithering": _dithering,
    "mixing": _mixing,
    "shared": _shared,
    "choosing": _choosing,
}
# ^ the longest first


def compile_kernels() -> None:
    """Compile every kernel, or load it from the cache on disk."""
    for part in PARTS.values():
        part()
