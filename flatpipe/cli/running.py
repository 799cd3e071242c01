"""Commands that do the work: run, flatten."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from flatpipe.cli.json_lines import best_line, print_json
from flatpipe.cli.options import (
    A_PATH,
    ConfigChoice,
    RunFlags,
    SelectionFlags,
    config_options,
    run_options,
    selection_options,
)
from flatpipe.cli.planning import PlanFlags, show_plan
from flatpipe.cli.sentences.running import best_text
from flatpipe.cli.speaking import say
from flatpipe.errors import ConfigError, ExitCode, StdoutLost
from flatpipe.places import is_in_memory

if TYPE_CHECKING:
    from flatpipe.config import Config
    from flatpipe.plan.request import Request
    from flatpipe.records import ImageSource

_EXIT_CODES = "\b\nExit codes:\n" + "\n".join(f"  {code:<4d} {code.meaning}" for code in ExitCode)


@click.command(short_help="Bring every output that the config asks for up to date.", epilog=_EXIT_CODES)
@config_options
@run_options
@selection_options
@click.option("--locked", is_flag=True, help="Only if the output's flatpipe.lock would be reproduced (else exit 2).")
@click.option("--lock", metavar="FILE", type=A_PATH, help="The same, with a flatpipe.lock from elsewhere.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and why; same as `flatpipe plan`.")
def run(
    chosen: ConfigChoice, flags: RunFlags, selection: SelectionFlags, locked: bool, lock: str | None, dry_run: bool
) -> ExitCode:
    """Bring every output that CONFIG asks for up to date (default: pipeline.yaml).

    A second run does nothing; a changed config or image recomputes what it touches.

    \b
    Examples:
      flatpipe run -s flatten.k=2-8 -j 4
      flatpipe run --only 'trips/*' --profile slurm
      flatpipe run --only-failed
      flatpipe run --locked
    """
    config = chosen.config(flags.jobs)
    wanted = lock or ("" if locked else None)
    request = selection.request(force=flags.force, fail_fast=flags.fail_fast, lock=wanted, command=chosen.command)
    if dry_run:
        shown = PlanFlags(verbose=flags.verbose, as_json=flags.as_json)
        return show_plan(config, request, shown)
    return _run(config, request, flags)


@click.command(short_help="Flatten a few images without a config.")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", type=A_PATH)
@click.option(
    "-k",
    "ks",
    default="2-15",
    show_default=True,
    metavar="K",
    help="Numbers of colours: 8, 2-15 or 2,4,8; auto, or auto:psnr>=30: see below.",
)
@click.option("-o", "--output", default="flat", show_default=True, metavar="DIR", type=A_PATH, help="Where results go.")
@click.option("-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set a config key.")
@run_options
def flatten(images: tuple[str, ...], ks: str, output: str, overrides: tuple[str, ...], flags: RunFlags) -> ExitCode:
    """Flatten a few images without a config: results in DIR/images/<name>/.

    Calls add up: results.csv and the report of DIR show the images of all of them. Files of one name from several
    folders stay apart, by the names of their folders.

    With `-k auto`, every k from 2 to 15 is made, and the one at the knee of the distortion curve is best.png too;
    `-k "auto:psnr>=30"` chooses the smallest k whose PSNR reaches 30 dB. The k chosen is printed for each image.

    \b
    Examples:
      flatpipe flatten photo.jpg -k 2-8 -o flat
      flatpipe flatten *.jpg -k auto
    """
    with _importing():
        from flatpipe.config import Argument, default_config
        from flatpipe.storage.discover import as_sources

    try:
        sources = as_sources(images)
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from error
    workers = () if flags.jobs is None else (Argument("-j", "execution.workers", flags.jobs),)
    common = os.path.dirname(sources[0].path)  # noqa: PTH120
    own = (Argument("-o", "output.path", output), Argument("-k", "flatten.k", ks), *workers)
    config = default_config(common, (*own, *overrides))
    return _run(config, SelectionFlags().request(force=flags.force, fail_fast=flags.fail_fast), flags, sources)


def _run(config: Config, request: Request, flags: RunFlags, sources: Sequence[ImageSource] | None = None) -> ExitCode:
    if is_in_memory(config.output.path):
        raise ConfigError(f"output.path ({config.output.path}) is gone when this command ends; name a place that stays")
    with _importing():
        from flatpipe.c_libraries import silence_c_libraries
        from flatpipe.cli.screen import Screen
        from flatpipe.pipeline import run as run_pipeline

    silence_c_libraries()
    screen = Screen(flags, config.flatten.ks)
    try:
        summary = run_pipeline(config, request, screen, sources)
    finally:
        screen.close()
    if sources is not None and config.flatten.target:
        _show_best(config, sources, flags.as_json)
    try:
        screen.end(summary)
    except StdoutLost:
        if summary.exit_code not in (ExitCode.HUNG_UP, ExitCode.INTERRUPTED, ExitCode.TERMINATED):
            raise
        # ^ else the terminal is gone, and that is what ended the run
    return summary.exit_code


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    """Look for no garbage meanwhile: all that is imported stays, and looking at it took a tenth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _show_best(config: Config, sources: Sequence[ImageSource], as_json: bool) -> None:
    """Print which k was chosen for each named image, whether this run made it or another."""
    from flatpipe.plan.workspace import open_workspace
    from flatpipe.report.gallery_rows import gallery_images
    from flatpipe.running.finishing import gallery_settings

    named = {source.path for source in sources}
    with open_workspace(config, "read", named=sources) as workspace:
        for image in gallery_images(workspace.results, gallery_settings(workspace.settings, config)):
            if not image.has_sweep or image.path not in named:
                continue
            if as_json:
                print_json(best_line(image))
            else:
                say(best_text(image, str(config.output.path)))
