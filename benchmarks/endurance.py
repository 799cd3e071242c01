"""Runs that are hurt on purpose: the driver killed at a random moment and resumed; a worker killed every few seconds.

Usage: python -m benchmarks.endurance [--runs 20] [--images 40] [--seed 0]
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.common import save, say_setup
from benchmarks.scale import picture


def main() -> None:
    """Hurt the runs, compare the image files with an undisturbed run's, print and save how many were equal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    say_setup("endurance", f"{chosen.runs} runs of {chosen.images} images each way, 2 worker processes")
    moments = random.Random(chosen.seed)
    folder = Path(tempfile.mkdtemp(prefix="flatpipe-endurance."))
    (folder / "in").mkdir()
    for n in range(chosen.images):
        (folder / "in" / f"{n:03d}.jpg").write_bytes(picture(n, 256))
    (folder / "pipeline.yaml").write_text("input: {path: in}\nexecution: {scheduler: processes, workers: 2}\n")
    undisturbed = _seconds(_start(folder, "undisturbed"))
    expected = _digests(folder / "undisturbed")
    resumed = [_driver_killed(folder, moments.uniform(0.5, undisturbed), expected) for _ in range(chosen.runs)]
    print(f"   driver killed, then resumed: {sum(resumed)} of {chosen.runs} equal, nothing partial left", flush=True)
    survived = [_workers_killed(folder, moments, expected) for _ in range(chosen.runs)]
    print(f"   a worker killed every 1 to 4 s: {sum(survived)} of {chosen.runs} complete and equal")
    save("endurance", {"driver_killed": sum(resumed), "workers_killed": sum(survived), "runs": chosen.runs})
    shutil.rmtree(folder)


def _driver_killed(folder: Path, after: float, expected: dict[str, str]) -> bool:
    process = _start(folder, "out")
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        # ^ without a word to anyone; its workers notice by themselves
    _seconds(_start(folder, "out"))
    return _is_equal(folder, expected)


def _workers_killed(folder: Path, moments: random.Random, expected: dict[str, str]) -> bool:
    process = _start(folder, "out")
    while process.poll() is None:
        time.sleep(moments.uniform(1, 4))
        try:
            children = psutil.Process(process.pid).children()
            workers = [
                worker for child in children if "forkserver" in str(child.cmdline()) for worker in child.children()
            ]
            if workers:
                moments.choice(workers).kill()
        except psutil.NoSuchProcess:
            continue
    return process.returncode == 0 and _is_equal(folder, expected)


def _is_equal(folder: Path, expected: dict[str, str]) -> bool:
    equal = _digests(folder / "out") == expected and not (folder / "out" / ".partial").exists()
    shutil.rmtree(folder / "out")
    return equal


def _start(folder: Path, output: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "flatpipe", "run", "-q", "-s", f"output.path={output}"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)


def _seconds(process: subprocess.Popen[bytes]) -> float:
    began = time.monotonic()
    if process.wait() != 0:
        raise SystemExit(f"a run that nothing disturbed ended with exit code {process.returncode}")
    return time.monotonic() - began


def _digests(output: Path) -> dict[str, str]:
    files = sorted(path for path in (output / "images").rglob("*") if path.is_file())
    return {str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


if __name__ == "__main__":
    main()
