"""The whole sweep as people do it today, against flatpipe: scikit-learn on all pixels, RGB PNGs, a GIF by imageio."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common import KS, mse_of, photos, print_table, read_pixels, save, say_setup
from flatpipe.config import default_config
from flatpipe.pipeline import run
from flatpipe.plan.request import Request
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.flatten import flatten_indexed
from flatpipe.quantize.kernels import compile_kernels


def measure(folders: list[Path], rounds: int, most: int) -> None:
    """Print and save how many times faster flatpipe's sweep is, and the worst mse ratio over k."""
    compile_kernels()
    say_setup("plain", "scikit-learn KMeans(n_init=10) on all pixels for every k, RGB PNG, GIF with imageio; one image")
    rows = []
    for path in photos(folders, most=most):
        with tempfile.TemporaryDirectory() as folder:
            ours = sorted(_flatpipe(path, Path(folder)) for _ in range(rounds))[rounds // 2]
            began = time.perf_counter()
            errors = _plain(path, Path(folder))
            plain = time.perf_counter() - began
        indexed = index_colors(read_pixels(path))
        worst = max(flatten_indexed(indexed, k).mse / errors[k] for k in KS)
        rows.append((path.name, plain, ours, plain / ours, worst))
        print(f"   measured {path.name}")
    columns = ("image", "plain s", "flatpipe s", "times faster", "worst mse / plain")
    print_table(columns, rows)
    save("plain", [dict(zip(columns, row, strict=True)) for row in rows])


def _flatpipe(path: Path, folder: Path) -> float:
    source = folder / "in"
    source.mkdir(exist_ok=True)
    (source / path.name).write_bytes(path.read_bytes())
    config = default_config(str(source), (f"output.path={folder}/out", "execution.scheduler=synchronous"))
    began = time.perf_counter()
    run(config, Request(force=True))
    return time.perf_counter() - began


def _plain(path: Path, folder: Path) -> dict[int, float]:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    pixels = read_pixels(path)
    points = pixels.reshape(-1, 3).astype(np.float32)
    frames: list[NDArray[np.uint8]] = []
    with threadpool_limits(1):
        for k in KS:
            model = KMeans(k, n_init=10, random_state=0).fit(points)
            frames.append(np.rint(model.cluster_centers_).astype(np.uint8)[model.labels_].reshape(pixels.shape))
            Image.fromarray(frames[-1]).save(folder / f"{k}.png")
    iio.imwrite(folder / "sweep.gif", [*frames, pixels], duration=400, loop=0)
    return {k: mse_of(pixels, frame) for k, frame in zip(KS, frames, strict=True)}
