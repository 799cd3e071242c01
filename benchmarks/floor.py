"""The whole marginal cost of one more image through `flatpipe run`, as a multiple of two codec floors.

A floor decodes each image once and encodes the same PNG and GIF files, and nothing else: with our own encoders, which
are several times as fast as others, and with Pillow's, which says what the whole costs beside what anyone would take.
Processor time: what else the machine does counts little.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

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
from flatpipe.settings import AnimationOptions, DecodePolicy

ANIMATION = AnimationOptions()
COPIES = 4
# ^ the marginal cost of an image is (time of 1 + COPIES images - time of 1 image) / COPIES


def measure(folders: list[Path], rounds: int) -> None:
    """Print and save the floor, the cost of clustering, and the cost of a run, per kind of image."""
    compile_kernels()
    say_setup("floor", f"marginal cost of an image, one worker, k = {KS[0]}..{KS[-1]} and the sweep, processor time")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        # ^ deleted at the very end: a file system may be slow to make files for minutes after others were deleted
        for path in photos(folders, most=4):
            rows.append(_measure_one(path, rounds, Path(folder)))
            print(f"   measured {path.name}")
    print_table(_COLUMNS, rows)
    for large in (False, True):
        chosen = [row for row in rows if (float(row[1]) > 4) == large]
        if chosen:
            medians = (statistics.median(float(row[column]) for row in chosen) for column in range(4, len(_COLUMNS)))
            told = ", ".join(f"{name} {median:.2f}" for name, median in zip(_COLUMNS[4:], medians, strict=True))
            print(f"   median, {'above' if large else 'up to'} 4 MP: {told}")
    save("floor", [dict(zip(_COLUMNS, row, strict=True)) for row in rows])


_COLUMNS = (
    "image", "megapixels", "floor s", "Pillow's floor s", "cluster+repaint / floor", "whole / floor",
    "whole / Pillow's floor",
)  # fmt: skip


def _measure_one(path: Path, rounds: int, folder: Path) -> tuple[str | float, ...]:
    content = path.read_bytes()
    pixels = decode(content, DecodePolicy()).pixels
    flats = [flatten_indexed(index_colors(pixels), k) for k in KS]
    original = dithered(shrink_original(Original(pixels), frame_side(ANIMATION)).pixels)
    measures: tuple[Callable[[Path], float], ...] = (
        lambda _: _seconds(lambda: _floor(content, flats, original)),
        lambda _: _seconds(lambda: _pillow_floor(content, flats, original)),
        lambda _: _seconds(lambda: _cluster(pixels)),
        lambda own: _marginal(path, own),
    )
    times = [[measure(folder / path.stem / str(number)) for measure in measures] for number in range(rounds)]
    # ^ in turns: all meet the same noise
    floor, pillow_floor, cluster, whole = map(statistics.median, zip(*times, strict=True))
    megapixels = pixels.shape[0] * pixels.shape[1] / 1e6
    return path.name, megapixels, floor, pillow_floor, cluster / floor, whole / floor, whole / pillow_floor


def _floor(content: bytes, flats: list[FlattenedImage], original: PaletteImage) -> None:
    decode(content, DecodePolicy())
    for flat in flats:
        encode_png(flat)
    frames = [shrink_flat(flat, frame_side(ANIMATION)) for flat in flats]
    join_gif(frames, original, None, ANIMATION)


def _pillow_floor(content: bytes, flats: list[FlattenedImage], original: PaletteImage) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.convert("RGB")
    for flat in flats:
        _of_pillow(flat).save(io.BytesIO(), "PNG")
    first, *others = [_of_pillow(shrink_flat(flat, frame_side(ANIMATION))) for flat in (*flats, original)]
    durations = [ANIMATION.frame_ms] * len(flats) + [ANIMATION.hold_ms]
    first.save(io.BytesIO(), "GIF", save_all=True, append_images=others, duration=durations, loop=0)


def _of_pillow(flat: PaletteImage) -> Image.Image:
    image = Image.fromarray(flat.label_map)
    image.putpalette(flat.palette.tobytes())
    return image


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
    began = time.process_time()
    action()  # type: ignore[operator]
    return time.process_time() - began
