"""Options that several commands share, and the config that they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
A_PATH = click.Path()
# ^ any text; a shell that completes the command line offers file names for it


def config_options(command: Command) -> Command:
    """The command with CONFIG, -s and --profile: what `read_config` takes."""
    return click.argument("config_path", metavar="[CONFIG]", type=A_PATH, default="pipeline.yaml")(
        _change_options(command)
    )


def place_options(command: Command) -> Command:
    """The command with PLACE, a config or an output folder, and with -s and --profile."""
    return click.argument("place", metavar="[PLACE]", type=A_PATH, default="pipeline.yaml")(_change_options(command))


def _change_options(command: Command) -> Command:
    return _with_options(
        command,
        click.option(
            *("-s", "--set", "overrides"),
            multiple=True,
            metavar="KEY=VALUE",
            help="Override a config key: -s flatten.k=2-8.",
        ),
        click.option("--profile", metavar="NAME", help="Use this named part of the config's `profiles`."),
    )


def _with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    """The command with options that its help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def run_options(command: Command) -> Command:
    """The command with all that says how a run goes and what it shows."""
    return _with_options(
        command,
        click.option(
            "-j", "--jobs", type=click.IntRange(1), metavar="N", help="Worker count, instead of execution.workers."
        ),
        click.option("--force", is_flag=True, help="Compute everything again, whatever is there."),
        click.option("--fail-fast", is_flag=True, help="Give the run up at the first image that fails (exit 3)."),
        click.option(
            "--json", "as_json", is_flag=True, help="One JSON line per image, then one for the run, on stdout."
        ),
        click.option("-q", "--quiet", is_flag=True, help="No progress and no messages, only the last lines."),
        click.option("-v", "--verbose", is_flag=True, help="One line per image."),
        click.option("--no-progress", is_flag=True, help="No progress bar or lines."),
    )


def selection_options(command: Command) -> Command:
    """The command with all that says which images are meant."""
    return _with_options(
        command,
        click.option("--only", multiple=True, metavar="GLOB", help="Only images whose id matches, e.g. 'trips/*.jpg'."),
        click.option("--only-failed", is_flag=True, help="Only images that failed before."),
        click.option("--limit", type=click.IntRange(0), metavar="N", help="At most this many images that need work."),
    )


def read_config(path: str, overrides: tuple[str, ...], profile: str | None, jobs: int | None = None) -> Any:
    """The Config that a command line asks for; raises ConfigError."""
    from flatpipe.config import load_config

    if jobs is not None:
        overrides = (*overrides, f"execution.workers={jobs}")
    return load_config(path, overrides, profile)


def request_of(flags: dict[str, Any]) -> Any:
    """The Request that a command line makes."""
    from flatpipe.plan.workspace import Request

    return Request(
        only=flags.get("only", ()),
        only_failed=flags.get("only_failed", False),
        limit=flags.get("limit"),
        force=flags.get("force", False),
        fail_fast=flags.get("fail_fast", False),
        lock=flags.get("lock"),
    )
