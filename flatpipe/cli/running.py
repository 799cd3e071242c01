"""The command that does the work: run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from flatpipe.cli.importing import importing
from flatpipe.cli.merging import chosen_part
from flatpipe.cli.options import (
    A_PATH,
    ConfigChoice,
    Finite,
    RunFlags,
    SelectionFlags,
    config_options,
    gathered,
    run_options,
    selection_options,
)
from flatpipe.cli.planning import PlanFlags, show_plan
from flatpipe.cli.sentences.running import reading_text
from flatpipe.cli.showing.speaking import remark
from flatpipe.errors import ConfigError, ExitCode, StdoutLost
from flatpipe.layout import name_width
from flatpipe.places import is_in_memory

if TYPE_CHECKING:
    from flatpipe.config import Config
    from flatpipe.observer import RunObserver
    from flatpipe.plan.request import Request, Taking
    from flatpipe.storage.several.named import NamedInput
    from flatpipe.summaries import RunSummary


@dataclass(frozen=True, slots=True)
class WatchFlags:
    """Whether the run goes on, and what it waits for."""

    watch: bool = False
    settle: float | None = None


_EXIT_CODES = "\b\nExit codes:\n" + "\n".join(f"  {code:<4d} {code.meaning}" for code in ExitCode)


@click.command(short_help="Bring every output that the config asks for up to date.", epilog=_EXIT_CODES)
@config_options
@run_options
@selection_options
@click.option("--locked", is_flag=True, help="Only if the output's flatpipe.lock would be reproduced (else exit 2).")
@click.option("--lock", metavar="FILE", type=A_PATH, help="The same, with a flatpipe.lock from elsewhere.")
@click.option(
    "--metrics-file", metavar="FILE", type=A_PATH, help="Keep the run's numbers there, as Prometheus reads them."
)
@click.option(
    "--shard", metavar="I/N", help="Only part I of N, from 0, beside others; auto: that of this task of a SLURM array."
)
@gathered(
    WatchFlags,
    "watching",
    click.option("--watch", is_flag=True, help="Go on after the last image: take what comes and changes."),
    click.option(
        "--settle",
        type=Finite(min=0, min_open=True),
        metavar="SECONDS",
        help="With --watch: how long a file must stay as it is before it is taken (default: 5).",
    ),
)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and why; same as `flatpipe plan`.")
def run(
    chosen: ConfigChoice,
    flags: RunFlags,
    selection: SelectionFlags,
    locked: bool,
    lock: str | None,
    metrics_file: str | None,
    shard: str | None,
    watching: WatchFlags,
    dry_run: bool,
) -> ExitCode:
    """Bring every output that CONFIG asks for up to date (default: pipeline.yaml).

    A second run does nothing; a changed config or image recomputes what it touches.

    \b
    Examples:
      flatpipe run -s flatten.k=2-8 -j 4
      flatpipe run --only 'trips/*' --profile slurm
      flatpipe run --only-failed
      flatpipe run --locked
      flatpipe run --shard 0/4
      flatpipe run photos --watch
    """
    once = {"--dry-run": dry_run, "--locked": locked, "--lock": bool(lock), "--shard": bool(shard)}
    _check_watch(watching, flags, selection, once)
    if not flags.quiet:
        remark(reading_text([chosen.config_path]))
    config = chosen.config(flags.jobs)
    wanted = lock or ("" if locked else None)
    request = selection.request(force=flags.force, fail_fast=flags.fail_fast, lock=wanted, command=chosen.command)
    request = replace(request, part=None if shard is None else chosen_part(shard, config, quiet=flags.quiet))
    if dry_run:
        shown = PlanFlags(verbose=flags.verbose, as_json=flags.as_json)
        return show_plan(config, request, shown)
    with _listening(metrics_file, config) as listeners:
        if watching.watch:
            return _watch(config, request, flags, watching, listeners)
        return carry_out(config, request, flags, listeners=listeners)


def _check_watch(watching: WatchFlags, flags: RunFlags, selection: SelectionFlags, once: dict[str, bool]) -> None:
    """Raise ConfigError for flags that do not go together; `once` are those that have a meaning for one run alone."""
    once = once | {
        "--force": flags.force,
        "--only-failed": selection.only_failed,
        "--limit": selection.limit is not None,
    }
    given = [flag for flag, is_given in once.items() if is_given]
    if watching.watch and given:
        raise ConfigError(f"--watch goes on, and {given[0]} is for one run: run that first, then watch")
    if watching.settle is not None and not watching.watch:
        raise ConfigError("--settle says when --watch takes a file, and there is no --watch")


def _watch(
    config: Config, request: Request, flags: RunFlags, watching: WatchFlags, listeners: Sequence[RunObserver]
) -> ExitCode:
    """Run a config again whenever its input has changed; how that ended."""
    from flatpipe.running.watching.rounds import SETTLE_SECONDS, watch

    def carry_out_round(taking: Taking) -> ExitCode:
        return carry_out(config, replace(request, taking=taking), flags, listeners=listeners)

    settle = SETTLE_SECONDS if watching.settle is None else watching.settle
    exit_code = watch(config, settle, carry_out_round, _silent if flags.quiet else remark)
    for listener in listeners:
        listener.exited(exit_code)
    return exit_code


def _silent(_text: str) -> None:
    """Tell nobody."""


@contextlib.contextmanager
def _listening(metrics: str | None, config: Config) -> Iterator[Sequence[RunObserver]]:
    """Who observes the run beside the screen."""
    if metrics is None:
        yield ()
        return
    from flatpipe.running.telling.metrics_file import metrics_file, metrics_place

    with metrics_file(metrics_place(metrics, config), remark) as counting:
        yield (counting,)


def _none(_summary: RunSummary) -> Sequence[str]:
    return ()


def carry_out(
    config: Config,
    request: Request,
    flags: RunFlags,
    named: NamedInput | None = None,
    pictures: Callable[[RunSummary], Sequence[str]] = _none,
    listeners: Sequence[RunObserver] = (),
) -> ExitCode:
    """Run a config and show the run; `pictures` are those that its last lines name one by one.

    `listeners` are told of the run as the screen is.
    """
    if is_in_memory(config.output.path):
        raise ConfigError(f"output.path ({config.output.path}) is gone when this command ends; name a place that stays")
    with importing():
        from flatpipe.cli.showing.screen import Screen
        from flatpipe.observer import Observers
        from flatpipe.pipeline import run as run_pipeline
        from flatpipe.plan.palettes.colors import ks_of
        from flatpipe.system.c_libraries import silence_c_libraries

    silence_c_libraries()
    ks = ks_of(config)
    screen = Screen(flags, ks, name_width(ks, adds=named is not None))
    try:
        summary = run_pipeline(config, request, Observers(screen, *listeners), named)
    finally:
        screen.close()
    try:
        screen.end(summary, pictures(summary))
    except StdoutLost:
        if summary.exit_code not in (ExitCode.HUNG_UP, ExitCode.INTERRUPTED, ExitCode.TERMINATED):
            raise
        # ^ else the terminal is gone, and that is what ended the run
    return summary.exit_code
