"""What every benchmark needs: its set-up in words, timings side by side, a table, a machine-readable file."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

HERE = Path(__file__).parent
ROOT = HERE.parent
KS = tuple(range(2, 16))


def photo_folders(given: Sequence[str]) -> list[Path]:
    """Folders of photographs: those named, else those beside the checkout, else data/."""
    beside = [ROOT.parent / "shared" / "images" / name for name in ("kodak", "photos")]
    found = [Path(name) for name in given] or [folder for folder in beside if folder.is_dir()]
    return found or [ROOT / "data"]


def photos(folders: Sequence[Path], most: int | None = None) -> list[Path]:
    """Image files of the folders, by name; at most so many of each folder."""
    chosen = []
    for folder in folders:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
        chosen += files[:most]
    return chosen


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Upright RGB pixels (H, W, 3) of a file, read without flatpipe."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def say_setup(name: str, what: str) -> None:
    """Print what is measured, on what, with which versions."""
    packages = ("numpy", "numba", "pillow", "scikit-learn", "dask")
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in packages)
    processor = next(
        (line.split(":")[1].strip() for line in _cpu_lines() if line.startswith("model name")), platform.machine()
    )
    print(f"\n== {name}: {what}")
    print(f"   {processor}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}")


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def side_by_side(contestants: dict[str, Callable[[], object]], rounds: int = 5) -> dict[str, float]:
    """Median seconds of each, taken in turns so that a slow minute of the machine meets all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, action in contestants.items():
            began = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def mse_of(pixels: NDArray[np.uint8], flat: NDArray[np.uint8]) -> float:
    """Mean over pixels of the squared RGB distance, summed over channels."""
    total, rows = 0.0, 256
    for top in range(0, len(pixels), rows):
        gaps = pixels[top : top + rows].astype(np.int32) - flat[top : top + rows]
        total += float((gaps * gaps).sum())
    return total / (pixels.shape[0] * pixels.shape[1])


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns."""
    cells = [[_cell(value) for value in row] for row in [columns, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(columns))]
    for row in cells:
        print("   " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def save(name: str, content: object) -> None:
    """Write benchmarks/results/<name>.json."""
    target = HERE / "results" / f"{name}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    print(f"   -> {target.relative_to(ROOT)}")


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
