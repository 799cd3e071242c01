"""How `flatpipe run` scales with the cores of this machine: photographs, thumbnails, a few images.

Marginal figures: of two collections, the images that one has more over the seconds that it takes longer, so that the
start and the end of the command are not in them. Usage: python -m benchmarks.cores [--seconds 120] [--workers 1 2 4]
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.command import Run, run_flatpipe
from benchmarks.common import ROOT, photo_folders, photos, print_table, save, say_setup
from benchmarks.scale import picture, write_collection
from flatpipe.work.kernels import load_kernels

_FEW, _MANY = 32, 512
# ^ photographs; as many of them are taken as fit into the time
_FEW_THUMBNAILS, _MANY_THUMBNAILS = 200, 4000
_THUMBNAIL_SIDE = 128
_GUESS = 6.0
# ^ photographs of 768x512 that a worker does in a second, at most; thumbnails: eight times as many


@dataclass(frozen=True)
class Scaling:
    """What so many workers of one scheduler come to."""

    scheduler: str
    workers: int
    photographs_per_s: float
    thumbnails_per_s: float
    three_images_s: float
    """The whole command for three photographs, default granularity."""
    one_image_s: float
    """The same for one."""


def main() -> None:
    """Measure each scheduler with each number of workers, print one table, save it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cores", description=__doc__)
    parser.add_argument("--schedulers", nargs="+", default=["processes", "threads"])
    parser.add_argument("--workers", type=int, nargs="+", default=_usual_workers())
    parser.add_argument("--seconds", type=float, default=120.0, help="for each scheduler")
    chosen = parser.parse_args()
    measure(chosen.schedulers, chosen.workers, chosen.seconds)


def measure(schedulers: Sequence[str], workers: Sequence[int], seconds: float) -> None:
    """The table, within so many seconds for each scheduler."""
    load_kernels()
    say_setup("cores", f"flatpipe run, k = 2..15, sweep and report; {seconds:.0f} s for each scheduler")
    share = seconds / len(workers) / 3
    # ^ a third for photographs, one for thumbnails, the rest for the few images and all starts
    rows = []
    for scheduler in schedulers:
        for count in workers:
            rows.append(_scaling(scheduler, count, share))
            print("   " + ", ".join(f"{key} {value}" for key, value in asdict(rows[-1]).items()), flush=True)
    print_table(list(asdict(rows[0])), [list(asdict(row).values()) for row in rows])
    save("cores", [asdict(row) for row in rows])


def _usual_workers() -> list[int]:
    cores = os.cpu_count() or 1
    return sorted({count for count in (1, 2, 4, 8, 16, 32, 64) if count <= cores} | {cores})


def _scaling(scheduler: str, workers: int, seconds: float) -> Scaling:
    rate = _GUESS * workers
    many = min(_MANY, max(2 * _FEW, int(rate * seconds)))
    thumbnails = min(_MANY_THUMBNAILS, max(3 * _FEW_THUMBNAILS, int(8 * rate * seconds)))
    pictures = [path.read_bytes() for path in photos(photo_folders([])[:1]) if path.suffix == ".png"]
    small = [picture(seed, _THUMBNAIL_SIDE) for seed in range(100)]
    setting = (f"execution.scheduler={scheduler}", f"execution.workers={workers}")
    return Scaling(
        scheduler=scheduler,
        workers=workers,
        photographs_per_s=_marginal(pictures, "png", (_FEW, many), setting),
        thumbnails_per_s=_marginal(small, "jpg", (_FEW_THUMBNAILS, thumbnails), setting),
        three_images_s=_run_of(pictures, "png", 3, setting).seconds,
        one_image_s=_run_of(pictures, "png", 1, setting).seconds,
    )


def _marginal(pictures: Sequence[bytes], suffix: str, counts: tuple[int, int], setting: tuple[str, ...]) -> float:
    few, many = (_run_of(pictures, suffix, count, setting).seconds for count in counts)
    return (counts[1] - counts[0]) / (many - few)


def _run_of(pictures: Sequence[bytes], suffix: str, count: int, setting: tuple[str, ...]) -> Run:
    folder = Path(tempfile.mkdtemp(prefix="flatpipe-cores.", dir=ROOT / "benchmarks" / "results"))
    try:
        write_collection(folder / "in", pictures, count, suffix)
        return run_flatpipe(folder, *setting)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
