"""A run on the screen: a bar with counts and time left on a terminal, plain lines elsewhere, JSON lines when asked.

Results go to stdout; everything else to stderr.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from flatpipe import layout
from flatpipe.errors import ExitCode
from flatpipe.observer import RunObserver
from flatpipe.quantize.knee import psnr
from flatpipe.records import ImageRecord, PlanSummary, RunSummary
from flatpipe.report.gallery_rows import GalleryImage
from flatpipe.text import counted, printable

_LINE_EVERY_SECONDS = 10.0
# ^ between progress lines where there is no terminal


class Screen(RunObserver):
    """Observes a run and shows it."""

    def __init__(
        self, *, quiet: bool = False, verbose: bool = False, as_json: bool = False, progress: bool = True
    ) -> None:
        self._quiet, self._verbose, self._as_json = quiet, verbose, as_json
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar = self._new_bar() if progress and not quiet and self._console.is_terminal else None
        self._plain = progress and not quiet and self._bar is None
        self._began = self._last_line = time.monotonic()
        self._images = self._done = self._pairs = self._failed = 0

    def planned(self, plan: PlanSummary, backend: str) -> None:
        """Say what is about to happen."""
        self._images = plan.images - plan.current - plan.refused
        self._failed = plan.refused
        due = f"{counted(plan.pairs, 'flat image')} and {counted(plan.sweeps, 'sweep')} to make"
        self._say(f"{counted(plan.images, 'image')}: {plan.current} up to date, {due}")
        if not plan.pairs and not plan.sweeps:
            return
        self._say(f"running on {backend}")
        if self._bar is not None:
            self._bar.start()
            self._bar.add_task("images", total=self._images, rate="")

    def preparing(self, what: str) -> None:
        """Say what takes a while."""
        self._say(f"{what} ...")

    def connected(self, workers: int, threads: int, dashboard: str) -> None:
        """Say how large the cluster is, and where it can be watched."""
        self._say(f"{workers} worker{'s' * (workers != 1)} with {threads} thread{'s' * (threads != 1)}")
        if dashboard:
            self._say(f"Dask dashboard: {dashboard}")

    def image_done(self, record: ImageRecord) -> None:
        """Count one image, and name it when it failed."""
        self._done += 1
        self._pairs += record.pairs
        self._failed += record.failure is not None
        name = printable(record.source.image_id)
        if record.failure is not None:
            message = printable(record.failure.message)
            self._say(f"failed: {name}: {message} ({record.failure.error})", style="red")
        elif self._verbose:
            self._say(f"{name}: {counted(record.pairs, 'flat image')}")
        if self._as_json:
            print_line(record.line)
        self._show_progress()

    def stopping(self) -> None:
        """Say that the stop was heard."""
        self._say("\nstopping: finishing what is running (again to stop at once)", style="yellow")

    def end(self, summary: RunSummary) -> None:
        """The last lines: done, up to date, failed, where to look."""
        self.close()
        if self._as_json:
            print_json({"event": "run", **asdict(summary)})
            return
        sys.stdout.write(summary_text(summary))
        sys.stdout.flush()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()

    def _new_bar(self) -> Progress:
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("images  {task.fields[rate]}  left:"),
            TimeRemainingColumn(),
        )
        return Progress(*columns, console=self._console, transient=True)

    def _show_progress(self) -> None:
        elapsed = max(time.monotonic() - self._began, 1e-9)
        rate = f"{self._done / elapsed:.1f} images/s, {self._pairs / elapsed:.0f} flats/s"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=1, rate=rate)
        elif self._plain and time.monotonic() - self._last_line >= _LINE_EVERY_SECONDS:
            self._last_line = time.monotonic()
            left = elapsed / self._done * (self._images - self._done)
            self._say(f"{self._done}/{self._images} images, {self._failed} failed, {rate}, about {left:.0f} s left")

    def _say(self, text: str, style: str | None = None) -> None:
        if not self._quiet:
            self._console.print(escape(text), style=style)


def best_line(image: GalleryImage) -> dict[str, object]:
    """The k chosen for an image, as `--json` prints it; psnr is null when no pixel changed."""
    best = image.suggested
    file = f"{layout.image_folder(image.image_id)}/{layout.BEST}"
    quality = psnr(best.mse) if best and best.mse else None
    chosen = {"k": best.k if best else None, "psnr": quality, "reached": not image.shortfall}
    return {"event": "best", "image": image.image_id, "file": file, **chosen}


def best_text(image: GalleryImage, output: str) -> str:
    """The same for a person, on one line."""
    line = best_line(image)
    quality = "exact" if line["psnr"] is None else f"{line['psnr']:.1f} dB"
    words = f"; {image.shortfall}" if image.shortfall else ""
    return printable(f"{image.image_id}: k = {line['k']} ({quality}{words})  {output}/{line['file']}")


def print_json(content: dict[str, object], stream: TextIO | None = None) -> None:
    """Write one JSON line to stdout."""
    print_line(json.dumps(content, sort_keys=True), stream)


def print_line(line: str, stream: TextIO | None = None) -> None:
    """Write a line to stdout, at once."""
    stream = stream or sys.stdout
    stream.write(f"{line}\n")
    stream.flush()


def summary_text(summary: RunSummary) -> str:
    """The last lines of a run: done, up to date, failed, where to look."""
    lines = []
    if summary.reason:
        early = "ended early: " if summary.exit_code != ExitCode.DIFFERENT else ""
        # ^ a run that missed its lock did all of its work
        lines.append(early + printable(summary.reason))
    elif not summary.done and not summary.failed:
        lines.append("nothing to do: everything is up to date")
    counts = f"{summary.done} done, {summary.current} up to date, {summary.failed} failed"
    made = f"({counted(summary.pairs, 'flat image')} in {summary.seconds:.1f} s)"
    lines.append(f"{counts} of {counted(summary.images, 'image')} {made}")
    lines.append(f"results:  {summary.output}/{layout.RESULTS}")
    if summary.failed:
        lines.append(f"failures: {summary.output}/{layout.FAILURES}")
    return "\n".join(lines) + "\n"


def plan_text(plan: PlanSummary) -> str:
    """A plan in its totals, with the reasons and how many images each holds for."""
    lines = [
        f"{counted(plan.images, 'image')}: {plan.current} up to date, {plan.refused} refused",
        f"to make: {counted(plan.pairs, 'flat image')}, {counted(plan.sweeps, 'sweep')}",
        *(f"  {count:6d}  {printable(reason)}" for reason, count in plan.reasons),
    ]
    return "\n".join(lines) + "\n"
