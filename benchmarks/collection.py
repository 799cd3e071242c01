"""One palette for the 24 Kodak photographs: its distortion over all 9.4 million pixels, beside scikit-learn's and a long search.

`python -m benchmarks.collection [K...]` searches anew, for hours, and writes best_known_collection.csv, which the benchmark reads.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.common import HERE, KS, photo_folders, photos, print_table, read_pixels, save, say_setup
from flatpipe.quantize.choosing.find_palette import find_clusters, find_palette
from flatpipe.quantize.choosing.nearest import measure_rows, nearest_rows
from flatpipe.quantize.color_table import ColorTable, index_colors
from flatpipe.quantize.kernels import compile_kernels
from flatpipe.quantize.options import FlattenOptions
from flatpipe.quantize.shared.clustering import clusterable, shared_pyramid
from flatpipe.quantize.shared.color_sums import add_tables

ALL_KS = (*KS, 32, 64)
BEST = HERE / "best_known_collection.csv"
_STARTS, _SEEDS = 5, 20


class Known(NamedTuple):
    """What others reach with k colours: mse over all pixels, of means as they are and of means rounded to 8 bits."""

    k: int
    sklearn: float
    sklearn_rounded: float
    # ^ the best of five
    best: float
    best_rounded: float
    # ^ of a long search, scikit-learn's own among what it finds


def measure(folders: list[Path]) -> None:
    """Print and save the ratios: ours as a palette of 8-bit colours, and the means that it was rounded from."""
    compile_kernels()
    paths = [path for path in photos(folders) if path.name.startswith("kodim")]
    say_setup("collection", f"one palette for {len(paths)} photographs, mse over all pixels / scikit-learn's and the best known")
    if len(paths) != 24:
        print("   The 24 Kodak photographs are not all here, which the figures of others are about: skipped.")
        return
    table = clusterable(_added_up(paths))
    pyramid = shared_pyramid(table, "rgb")
    rows, saved = [], {}
    for known in _known():
        began = time.perf_counter()
        palette = find_palette(table, pyramid, known.k, FlattenOptions())
        seconds = time.perf_counter() - began
        rounded, means = _mse(table, palette), _mse_of_means(table, pyramid_labels(table, pyramid, known.k))
        ratios = (rounded / known.sklearn_rounded, rounded / known.best_rounded, means / known.sklearn, means / known.best)
        rows.append((known.k, rounded, *(f"{ratio:.5f}" for ratio in ratios), seconds))
        saved[known.k] = {"mse": rounded, "seconds": seconds, "ratios": ratios}
    columns = ("k", "mse", "/ sklearn", "/ best", "means / sklearn", "/ best", "s")
    print_table(columns, rows)
    save("collection", saved)
