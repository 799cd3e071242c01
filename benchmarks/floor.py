"""The whole marginal cost of one more image through `flatpipe run`, as a multiple of the codec floor.

The floor decodes each image once and encodes the same PNG and GIF files with the same encoders, and nothing else.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.common import KS, photos, print_table, save, say_setup
from flatpipe.config import default_config
from flatpipe.decode.decode import decode
from flatpipe.encode.animation import frame_side
from flatpipe.encode.frames import Original, shrink_flat, shrink_original
from flatpipe.encode.gif import join_gif
from flatpipe.encode.png import encode_png
from flatpipe.pipeline import run
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.dithering.last_frame import dithered
from flatpipe.quantize.flatten import flatten_indexed
from flatpipe.quantize.kernels import compile_kernels
from flatpipe.quantize.palette_image import FlattenedImage, PaletteImage
from flatpipe.records import AnimationOptions, DecodePolicy

ANIMATION = AnimationOptions()
COPIES = 4
# ^ the marginal cost of an image is (time of 1 + COPIES images - time of 1 image) / COPIES


def measure(folders: list[Path], rounds: int) -> None:
    """Print and save the floor, the cost of clustering, and the cost of a run, per kind of image."""
    compile_kernels()
    say_setup("floor", f"marginal cost of an image, one worker, k = {KS[0]}..{KS[-1]} and the sweep, wall time")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        # ^ deleted at the very end: a file system may be slow to make files for minutes after others were deleted
        for path in photos(folders, most=4):
            rows.append(_measure_one(path, rounds, Path(folder)))
            print(f"   measured {path.name}")
    columns = ("image", "megapixels", "floor s", "cluster+repaint / floor", "whole / floor")
    print_table(columns, rows)
    for large in (False, True):
        chosen = [row for row in rows if (row[1] > 4) == large]
        if chosen:
            medians = [statistics.median(row[column] for row in chosen) for column in (3, 4)]
            words = "above 4 MP" if large else "up to 4 MP"
            print(f"   median, {words}: cluster+repaint {medians[0]:.2f}, whole {medians[1]:.2f}")
    save("floor", [dict(zip(columns, row, strict=True)) for row in rows])


def _measure_one(path: Path, rounds: int, folder: Path) -> tuple[str, float, float, float, float]:
    content = path.read_bytes()
    pixels = decode(content, DecodePolicy()).pixels
    flats = [flatten_indexed(index_colors(pixels), k) for k in KS]
    original = dithered(shrink_original(Original(pixels), frame_side(ANIMATION)).pixels)
    floors, clusters, wholes = [], [], []
    for number in range(rounds):
        floors.append(_seconds(lambda: _floor(content, flats, original)))
        clusters.append(_seconds(lambda: _cluster(pixels)))
        wholes.append(_marginal(path, folder / path.stem / str(number)))
    floor, cluster, whole = (statistics.median(values) for values in (floors, clusters, wholes))
    return (path.name, pixels.shape[0] * pixels.shape[1] / 1e6, floor, cluster / floor, whole / floor)


def _floor(content: bytes, flats: list[FlattenedImage], original: PaletteImage) -> None:
    decode(content, DecodePolicy())
    for flat in flats:
        encode_png(flat)
    frames = [shrink_flat(flat, frame_side(ANIMATION)) for flat in flats]
    join_gif(frames, original, None, ANIMATION)


def _cluster(pixels: object) -> None:
    indexed = index_colors(pixels)  # type: ignore[arg-type]
    for k in KS:
        flatten_indexed(indexed, k)


def _marginal(path: Path, folder: Path) -> float:
    few, many = _run_copies(path, folder, 1), _run_copies(path, folder, 1 + COPIES)
    return (many - few) / COPIES


def _run_copies(path: Path, folder: Path, copies: int) -> float:
    """Seconds of a run on so many copies of the image, each with one byte of its own behind the image's end."""
    source = folder / f"in{copies}"
    source.mkdir(parents=True)
    for n in range(copies):
        (source / f"{n}{path.suffix}").write_bytes(path.read_bytes() + bytes([n]))
    overrides = (f"output.path={folder}/out{copies}", "execution.scheduler=synchronous", "report.enabled=false")
    config = default_config(str(source), [text for text in overrides if _is_known(text)])
    from flatpipe.plan.request import Request

    return _seconds(lambda: run(config, Request(force=True)))


def _is_known(override: str) -> bool:
    from flatpipe.config import Config

    return override.split(".", maxsplit=1)[0] in Config.model_fields


def _seconds(action: object) -> float:
    began = time.perf_counter()
    action()  # type: ignore[operator]
    return time.perf_counter() - began
