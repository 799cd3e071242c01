"""The flatpipe command as a benchmark runs it: one folder, one config, what it cost."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Run:
    """What one command cost."""

    seconds: float
    peak_mb: float
    """Largest resident memory of the driver's process, which holds Dask's scheduler too."""
    cpu_seconds: float
    """Processor time of that process."""


def run_flatpipe(folder: Path, *overrides: str) -> Run:
    """Run flatpipe over `folder`/in into `folder`/out with overrides of the defaults."""
    (folder / "pipeline.yaml").write_text("input: {path: in}\noutput: {path: out}\n")
    flags = [part for override in overrides for part in ("-s", override)]
    command = [sys.executable, "-m", "flatpipe", "run", str(folder / "pipeline.yaml"), "-q", *flags]
    began = time.monotonic()
    process = psutil.Popen(command, stdout=-3)
    peak, cpu = 0, 0.0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
            cpu = sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            break
        time.sleep(0.02)
    if process.wait() != 0:
        raise SystemExit(f"the run ended with exit code {process.returncode}")
    return Run(time.monotonic() - began, peak / 1e6, cpu)
