"""A collection of N small images through `flatpipe run`: speed, memory of driver and scheduler, plan time of a rerun.

Usage: python -m benchmarks.scale [N...] [--side PIXELS] [--workers W] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.command import Run, run_flatpipe
from benchmarks.common import KS, print_table, save, say_setup, side_by_side
from flatpipe.decode.decode import decode
from flatpipe.encode.gif import join_gif
from flatpipe.encode.png import encode_png
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.dithering.last_frame import dithered
from flatpipe.quantize.flatten import flatten_indexed
from flatpipe.quantize.kernels import compile_kernels
from flatpipe.settings import AnimationOptions, DecodePolicy

_DISTINCT = 500
# ^ pictures that are made; each file gets bytes of its own behind its picture's end, so that every content differs
_COLORS_ALONE = ("output.flats=none", "animation.enabled=false")
# ^ palettes, measures and tables, without any picture


def main() -> None:
    """Measure each N, print one table, save it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--side", type=int, default=128, help="pixels")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", help="folder to work in, kept afterwards")
    chosen = parser.parse_args()
    compile_kernels()
    say_setup("scale", f"{chosen.side} x {chosen.side} JPEGs, k = {KS[0]}..{KS[-1]} and the sweep, processes")
    pictures = [picture(seed, chosen.side) for seed in range(_DISTINCT)]
    floor = _floor_seconds(pictures[:20])
    rows = []
    for count in chosen.counts:
        folder = Path(chosen.keep or tempfile.mkdtemp(prefix="flatpipe-scale."))
        write_collection(folder / "in", pictures, count)
        overrides = ("execution.scheduler=processes", f"execution.workers={chosen.workers}")
        first, again = (run_flatpipe(folder, *overrides) for _ in range(2))
        alone = run_flatpipe(folder, *overrides, *_COLORS_ALONE, f"output.path={folder}/alone")
        rows.append(_row(folder, count, chosen.workers, floor, first, again, alone))
        print("   " + ", ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()), flush=True)
        runs = {"first": first, "again": again, "alone": alone}
        save(f"scale-{count}", {**rows[-1], **{name: asdict(run) for name, run in runs.items()}})
        if not chosen.keep:
            shutil.rmtree(folder)
    print_table(list(rows[0]), [list(row.values()) for row in rows])


def _row(folder: Path, count: int, workers: int, floor: float, first: Run, again: Run, alone: Run) -> dict[str, float]:
    return {
        "images": count,
        "images/s": count / first.seconds,
        "of the floor": count / first.seconds / (workers / floor),
        "peak MB": first.peak_mb,
        "driver+scheduler CPU ms/image": 1000 * first.cpu_seconds / count,
        "ledger MB": (folder / "out" / "ledger.sqlite").stat().st_size / 1e6,
        "images/s without pictures": count / alone.seconds,
        "times as fast": first.seconds / alone.seconds,
        "no-op s": again.seconds,
        "no-op peak MB": again.peak_mb,
    }


def picture(seed: int, side: int) -> bytes:
    """A JPEG of soft areas with texture, unlike any other seed's."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    areas = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC), dtype=np.int16)
    pixels = np.clip(areas + random.normal(0, 8, areas.shape), 0, 255).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=90)
    return target.getvalue()


def write_collection(folder: Path, pictures: Sequence[bytes], count: int, suffix: str = "jpg") -> None:
    """So many files below a folder, each of other content: a picture with a number behind its end."""
    for n in range(count):
        path = folder / f"{n // 1000:04d}" / f"{n:07d}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pictures[n % len(pictures)] + n.to_bytes(4, "big"))


def _floor_seconds(pictures: list[bytes]) -> float:
    """Seconds to decode one picture and encode its files, with nothing in between, on one core."""
    prepared = []
    for content in pictures:
        pixels = decode(content, DecodePolicy()).pixels
        flats = [flatten_indexed(index_colors(pixels), k) for k in KS]
        prepared.append((content, flats, dithered(pixels)))

    def codecs_alone() -> None:
        for content, flats, original in prepared:
            decode(content, DecodePolicy())
            for flat in flats:
                encode_png(flat)
            join_gif(flats, original, None, AnimationOptions())

    return side_by_side({"floor": codecs_alone})["floor"] / len(pictures)


if __name__ == "__main__":
    main()
