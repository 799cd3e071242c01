"""One palette for the 24 Kodak photographs: its mse over all pixels, by that of scikit-learn and of a long search."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from benchmarks.common import KS, photos, print_table, read_pixels, save, say_setup
from flatpipe.quantize.choosing.find_palette import find_palette
from flatpipe.quantize.choosing.nearest import measure_rows, nearest_rows
from flatpipe.quantize.color_table import ColorTable, index_colors
from flatpipe.quantize.kernels import compile_kernels
from flatpipe.quantize.options import FlattenOptions
from flatpipe.quantize.shared.clustering import clusterable, shared_pyramid
from flatpipe.quantize.shared.color_sums import add_tables

_KS = (*KS, 32, 64)
_STARTS = 5
# ^ of scikit-learn, the best of which counts
_SEEDS = 12
# ^ of the long search: as often as a group is searched, so many times


def measure(folders: list[Path]) -> None:
    """Print and save the ratios of the palettes' mse, all of them rounded to 8 bits, as palettes are."""
    compile_kernels()
    paths = [path for path in photos(folders) if path.name.startswith("kodim")]
    words = f"one palette for {len(paths)} photographs: mse / best of {_STARTS} of scikit-learn, / a long search's"
    say_setup("collection", words)
    if not paths:
        print("   no photograph of Kodak's (kodim01.png ...) is in these folders")
        return
    table = clusterable(add_tables(index_colors(read_pixels(path)).table for path in paths))
    began = time.perf_counter()
    pyramid = shared_pyramid(table, "rgb")
    print(f"   {len(table.counts)} colours, sorted into cells in {time.perf_counter() - began:.2f} s")
    rows: list[tuple[object, ...]] = []
    for k in _KS:
        began = time.perf_counter()
        ours = _mse(table, find_palette(table, pyramid, k, FlattenOptions()))
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        theirs = _mse(table, _sklearn(table, k))
        seconds_theirs = time.perf_counter() - began
        searched = [_mse(table, find_palette(table, pyramid, k, FlattenOptions(seed=seed))) for seed in range(_SEEDS)]
        known = min(*searched, theirs)
        rows.append((k, ours, f"{ours / theirs:.5f}", f"{ours / known:.5f}", seconds, seconds_theirs))
    print_table(("k", "mse", "/ sklearn", "/ long search", "s", "sklearn s"), rows)
    save("collection", {str(row[0]): row[1:] for row in rows})


def _sklearn(table: ColorTable, k: int) -> NDArray[np.uint8]:
    """The best palette of five of scikit-learn's, on the exact table of all colours."""
    found = []
    with threadpool_limits(1):
        for seed in range(_STARTS):
            model = KMeans(k, n_init=1, random_state=seed).fit(table.colors.astype(np.float32), None, table.counts)
            palette = np.rint(model.cluster_centers_).astype(np.uint8)
            found.append((_mse(table, palette), palette))
    return min(found, key=lambda one: one[0])[1]


def _mse(table: ColorTable, palette: NDArray[np.uint8]) -> float:
    """The mean over all pixels of the squared distance to the nearest colour of the palette."""
    measured = measure_rows(table.colors, table.counts, palette, nearest_rows(table.colors, palette, "rgb"))
    return int(measured.distortion) / int(table.counts.sum())
