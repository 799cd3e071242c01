"""mse against the best known and the published k-means figures, over the Kodak photographs, k = 2..15 and 24..256."""

from __future__ import annotations

import csv
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks.common import HERE, KS, photos, print_table, read_pixels, save, say_setup
from flatpipe.quantize.color_space import LEVEL_SIZE, to_space
from flatpipe.quantize.color_table import IndexedImage, index_colors
from flatpipe.quantize.flatten import flatten_indexed
from flatpipe.quantize.kernels import compile_kernels
from flatpipe.quantize.options import FlattenOptions, Space

LARGE_KS = (24, 32, 48, 64, 96, 128, 192, 256)


def measure(folders: list[Path]) -> None:
    """Print and save the ratios; the best known mse is that of unrounded palettes, ours is of the written pixels."""
    compile_kernels()
    best = _table("best_known_kodak.csv")
    best_oklab, published = _table("best_known_kodak_oklab.csv"), _table("published_kodak.csv")
    say_setup("quality", "mse / best known (long searches on every unique colour), palettes rounded to 8 bits")
    rows, ratios, large_ratios, oklab_ratios, published_ratios, seconds = [], [], [], [], [], []
    for path in photos(folders):
        if (path.name, 2) not in best:
            continue
        pixels = read_pixels(path)
        began = time.perf_counter()
        indexed = index_colors(pixels)
        flats = {k: flatten_indexed(indexed, k) for k in KS}
        seconds.append(time.perf_counter() - began)
        mine = [flats[k].mse / best[path.name, k] for k in KS]
        ratios += mine
        large_ratios += [_unrounded_mse(indexed, k, "rgb") / best[path.name, k] for k in LARGE_KS]
        oklab_ratios += [_unrounded_mse(indexed, k, "oklab") / best_oklab[path.name, k] for k in LARGE_KS]
        published_ratios += [
            flatten_indexed(indexed, k).mse / published[path.name, k]
            for k in (4, 8, 16, 32, 64, 128, 256)
            if (path.name, k) in published
        ]
        rows.append((path.name, statistics.mean(mine), max(mine), seconds[-1]))
    print_table(("image", "mean", "max", "sweep s"), rows)
    summary = {
        "pairs": len(ratios),
        "mean": statistics.mean(ratios),
        "p95": float(np.percentile(ratios, 95)),
        "max": max(ratios),
        "within_0.05_percent": sum(ratio <= 1.0005 for ratio in ratios) / len(ratios),
        "large_k_unrounded_mean": statistics.mean(large_ratios),
        "large_k_unrounded_max": max(large_ratios),
        "large_k_oklab_mean": statistics.mean(oklab_ratios),
        "large_k_oklab_max": max(oklab_ratios),
        "against_published_mean": statistics.mean(published_ratios) if published_ratios else None,
        "sweep_seconds_median": statistics.median(seconds),
    }
    print("   " + ", ".join(f"{name} {value:.5f}" for name, value in summary.items() if value is not None))
    save("quality", summary)


def _unrounded_mse(indexed: IndexedImage, k: int, space: Space) -> float:
    """Return the mse of the clusters' means as they are, in levels: rounding costs more than searching at k = 256."""
    labels = flatten_indexed(indexed, k, FlattenOptions(space=space)).label_map.reshape(-1)
    points = to_space(indexed.pixels.reshape(-1, 3), space) / LEVEL_SIZE[space]
    counts = np.maximum(np.bincount(labels), 1)
    means = np.stack([np.bincount(labels, points[:, channel]) / counts for channel in range(3)], axis=1)
    return float(np.mean(np.sum((points - means[labels]) ** 2, axis=1)))


def _table(name: str) -> dict[tuple[str, int], float]:
    with (HERE / name).open(newline="") as file:
        return {(row["image"], int(row["k"])): float(row["mse"]) for row in csv.DictReader(file)}
