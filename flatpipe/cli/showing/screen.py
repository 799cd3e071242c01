"""A run on the screen: a bar with counts and time left on a terminal, plain lines elsewhere, JSON lines when asked.

Results go to stdout; everything else to stderr.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from flatpipe.cli.options import RunFlags
from flatpipe.cli.sentences.running import (
    compiling_text,
    found_text,
    image_text,
    progress_text,
    quiet_text,
    rate_text,
    summary_text,
)
from flatpipe.cli.showing.json_lines import image_line, print_json
from flatpipe.cli.showing.speaking import patient_stderr, say
from flatpipe.observer import RunObserver
from flatpipe.records import ImageRecord
from flatpipe.summaries import PlanSummary, RunSummary
from flatpipe.text import counted, printable, printable_lines

_LINE_EVERY_SECONDS = 10.0
# ^ between progress lines where there is no terminal
_BAR_WIDTH = 24
# ^ characters: counts, rates and time left fit beside it into 80


class Screen(RunObserver):
    """Observes a run and shows it."""

    def __init__(self, flags: RunFlags, ks: Sequence[int], name_width: int) -> None:
        self._flags, self._ks, self._name_width = flags, ks, name_width
        self._console = Console(file=patient_stderr(), highlight=False, soft_wrap=True)
        shows_progress = not flags.no_progress and not flags.quiet
        self._bar = self._new_bar() if shows_progress and self._console.is_terminal else None
        self._plain = shows_progress and self._bar is None
        self._began = self._last_line = time.monotonic()
        self._images = self._done = self._pairs = self._failed = 0

    def planned(self, plan: PlanSummary, backend: str) -> None:
        """Say what is about to happen."""
        self._images, self._failed = plan.due, plan.refused
        self._say(found_text(plan))
        if not plan.pairs and not plan.sweeps:
            return
        self._say(f"running on {backend}")
        if self._bar is not None:
            self._bar.start()
            self._bar.add_task("images", total=self._images, rate="")

    def note(self, text: str) -> None:
        """Say it as a line of its own."""
        self._say(printable(text), style="yellow")

    def stalled(self, text: str) -> None:
        """Say it as a line of its own."""
        self.note(text)

    def preparing(self, what: str) -> None:
        """Say what takes a while."""
        self._say(f"{what} ...")

    def compiling(self, done: int, total: int) -> None:
        """Say how far the kernels are: on a terminal in the bar, elsewhere as a line when they begin and end."""
        words = compiling_text(done, total)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], rate=f", {words}")
        elif done in (0, total):
            self._say(words)

    def working(self, workers: Callable[[], int]) -> None:  # noqa: ARG002 - the rate is that of all of them
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
        if record.failure is not None or self._flags.verbose:
            self._say(image_text(record, self._ks), style="red" if record.failure is not None else None)
        if self._flags.as_json:
            print_json(image_line(record, self._name_width))
        self._show_progress()

    def stopping(self) -> None:
        """Say that the stop was heard."""
        self._say("\nstopping: finishing what is running (again to stop at once)", style="bold")

    def end(self, summary: RunSummary, pictures: Sequence[str] = ()) -> None:
        """The last lines: where to look, what failed, what is left; one line where that is asked for."""
        self.close()
        if self._flags.as_json:
            print_json({"event": "run", **asdict(summary)})
        else:
            say(quiet_text(summary) if self._flags.quiet else summary_text(summary, pictures))

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()

    def _new_bar(self) -> Progress:
        columns = (_Bar(), MofNCompleteColumn(), TextColumn("images{task.fields[rate]}, left:"), TimeRemainingColumn())
        return Progress(*columns, console=self._console, transient=True)

    def _show_progress(self) -> None:
        elapsed = time.monotonic() - self._began
        if self._bar is not None:
            rate = rate_text(self._done, self._pairs, elapsed)
            self._bar.update(self._bar.task_ids[0], advance=1, rate=f", {rate}" * bool(rate))
        elif self._plain and time.monotonic() - self._last_line >= _LINE_EVERY_SECONDS:
            self._last_line = time.monotonic()
            self._say(progress_text(self._done, self._images, self._failed, self._pairs, elapsed))

    def _say(self, text: str, style: str | None = None) -> None:
        if not self._flags.quiet:
            self._console.print(escape(printable_lines(text)), style=style)


class _Bar(ProgressColumn):
    """What is done as a thick line, what is left as a thin one: told apart on a light terminal, and without colours."""

    def render(self, task: Task) -> Text:
        """The bar as it stands."""
        done = int(_BAR_WIDTH * min(1.0, task.completed / task.total)) if task.total else 0
        return Text.assemble(("━" * done, "bold green"), ("─" * (_BAR_WIDTH - done), "dim"))
