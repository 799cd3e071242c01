"""A run on the screen: a bar with counts and time left on a terminal, plain lines elsewhere, JSON lines when asked.

Results go to stdout; everything else to stderr.
"""

from __future__ import annotations

import time
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from flatpipe.cli.json_lines import print_json
from flatpipe.cli.options import RunFlags
from flatpipe.cli.sentences import summary_text
from flatpipe.cli.speaking import patient_stderr, say, write_line
from flatpipe.observer import RunObserver
from flatpipe.records import ImageRecord
from flatpipe.summaries import PlanSummary, RunSummary
from flatpipe.text import counted, printable, printable_lines
from flatpipe.vocabulary import NOT_SELECTED

_LINE_EVERY_SECONDS = 10.0
# ^ between progress lines where there is no terminal


class Screen(RunObserver):
    """Observes a run and shows it."""

    def __init__(self, flags: RunFlags) -> None:
        self._flags = flags
        self._console = Console(file=patient_stderr(), highlight=False, soft_wrap=True)
        shows_progress = not flags.no_progress and not flags.quiet
        self._bar = self._new_bar() if shows_progress and self._console.is_terminal else None
        self._plain = shows_progress and self._bar is None
        self._began = self._last_line = time.monotonic()
        self._images = self._done = self._pairs = self._failed = 0

    def planned(self, plan: PlanSummary, backend: str) -> None:
        """Say what is about to happen."""
        self._images = plan.due
        left_out = dict(plan.reasons).get(NOT_SELECTED, 0)
        self._failed = plan.refused
        due = f"{counted(plan.pairs, 'flat image')} and {counted(plan.sweeps, 'sweep')} to make"
        not_selected = f", {left_out} not selected" * bool(left_out)
        self._say(f"{counted(plan.images, 'image')}: {plan.current} up to date{not_selected}, {due}")
        if not plan.pairs and not plan.sweeps:
            return
        self._say(f"running on {backend}")
        if self._bar is not None:
            self._bar.start()
            self._bar.add_task("images", total=self._images, rate="")

    def note(self, text: str) -> None:
        """Say it as a line of its own."""
        self._say(printable(text), style="yellow")

    def preparing(self, what: str) -> None:
        """Say what takes a while."""
        self._say(f"{what} ...")

    def compiling(self, done: int, total: int) -> None:
        """Say how far the kernels are: on a terminal in the bar, elsewhere as a line when they begin and end."""
        words = f"compiling once for this machine: {done} of {total}"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], rate=words)
        elif done in (0, total):
            self._say(words)

    def working(self) -> None:
        """Count the rate from here."""
        self._began = self._last_line = time.monotonic()

    def connected(self, workers: int, threads: int, dashboard: str) -> None:
        """Say how large the cluster is, and where it can be watched."""
        self._say(f"{counted(workers, 'worker')} with {counted(threads, 'thread')}")
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
        elif self._flags.verbose:
            self._say(f"{name}: {counted(record.pairs, 'flat image')}")
        if self._flags.as_json:
            write_line(record.line)
        self._show_progress()

    def stopping(self) -> None:
        """Say that the stop was heard."""
        self._say("\nstopping: finishing what is running (again to stop at once)", style="yellow")

    def end(self, summary: RunSummary) -> None:
        """The last lines: done, up to date, failed, where to look."""
        self.close()
        if self._flags.as_json:
            print_json({"event": "run", **asdict(summary)})
            return
        say(summary_text(summary))

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
        if not self._flags.quiet:
            self._console.print(escape(printable_lines(text)), style=style)
