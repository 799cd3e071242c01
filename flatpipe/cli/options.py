"""Options that several commands share, each group of them as one record; and the config that they name."""

from __future__ import annotations

import functools
import math
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flatpipe.errors import ExitCode

if TYPE_CHECKING:
    from flatpipe.config import Config
    from flatpipe.plan.request import Request

Command = Callable[..., ExitCode]
Decorator = Callable[[Command], Command]
_CLUSTER = "execution.cluster"


# ^ where secrets may stand
class Finite(click.FloatRange):
    """A number of a range, and no `nan` or `inf`, which Python's float takes too."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; click says what is wrong with any other."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return number


A_PATH = click.Path()
# ^ any text; a shell that completes the command line offers file names for it


@dataclass(frozen=True, slots=True)
class ConfigChoice:
    """Which config a command is about."""

    config_path: str
    overrides: tuple[str, ...]
    profile: str | None

    def config(self, jobs: int | None = None) -> Config:
        """The Config, with so many workers when a number is given; raises ConfigError."""
        from flatpipe.config import load_config

        workers = () if jobs is None else (f"execution.workers={jobs}",)
        return load_config(self.config_path, (*self.overrides, *workers), self.profile)

    @property
    def command(self) -> str:
        """What runs the same config again when it is typed in any folder."""
        return _run_command(self.config_path, self.overrides, self.profile)


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """Which run a command is about: by its config, or by the folder that it wrote."""

    place: str
    overrides: tuple[str, ...]
    profile: str | None

    def config(self, *, of_parts: bool = False) -> Config:
        """The config of that run, or of the part of one that was run last; raises ConfigError."""
        from flatpipe.proof.recorded import recorded_config

        return recorded_config(self.place, self.overrides, self.profile, of_parts=of_parts)

    @property
    def command(self) -> str:
        """What runs the same config again; "" for the folder of a run, which does not say which file that was."""
        return "" if self.is_output else _run_command(self.place, self.overrides, self.profile)

    @property
    def is_output(self) -> bool:
        """Whether it is the folder that a run wrote; raises ConfigError for a folder that tells of no run."""
        from flatpipe.proof.recorded import is_output

        return is_output(self.place)


@dataclass(frozen=True, slots=True)
class RunFlags:
    """How a run goes, and what it shows."""

    jobs: int | None
    force: bool
    fail_fast: bool
    as_json: bool
    quiet: bool
    verbose: bool
    no_progress: bool


@dataclass(frozen=True, slots=True)
class SelectionFlags:
    """Which of the images are meant."""

    only: tuple[str, ...] = ()
    only_failed: bool = False
    limit: int | None = None

    def request(self, *, force: bool, fail_fast: bool = False, lock: str | None = None, command: str = "") -> Request:
        """What the command line adds to the config; `command` runs the same config again."""
        from flatpipe.plan.request import Request

        return Request(self.only, self.only_failed, self.limit, force, fail_fast, lock, command)


def _run_command(config_path: str, overrides: tuple[str, ...], profile: str | None) -> str:
    """`flatpipe run` for a config from any folder, quoted as a shell wants it; without a cluster's secrets."""
    shown = (f"--set={override}" for override in overrides if not override.startswith(_CLUSTER))
    chosen = () if profile is None else (f"--profile={profile}",)
    return shlex.join(("flatpipe", "run", str(Path(config_path).absolute()), *shown, *chosen))


def gathered(kind: type, name: str, *parameters: Decorator) -> Decorator:
    """What gives a command these parameters, in this order, and hands them to it as one record named `name`."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def called(**given: object) -> ExitCode:
            own = {field.name: given.pop(field.name) for field in fields(kind)}
            return command(**given, **{name: kind(**own)})

        decorated: Command = called
        for parameter in reversed(parameters):
            decorated = parameter(decorated)
        return decorated

    return decorate


CHANGES: tuple[Decorator, ...] = (
    click.option(
        *("-s", "--set", "overrides"),
        multiple=True,
        metavar="KEY=VALUE",
        help="Override a config key: -s flatten.k=2-8.",
    ),
    click.option("--profile", metavar="NAME", help="Use this named part of the config's `profiles`."),
)

config_options = gathered(
    ConfigChoice,
    "chosen",
    click.argument("config_path", metavar="[CONFIG]", type=A_PATH, default="pipeline.yaml"),
    *CHANGES,
)
place_options = gathered(
    PlaceChoice,
    "chosen",
    click.argument("place", metavar="[PLACE]", type=A_PATH, default="pipeline.yaml"),
    *CHANGES,
)
run_options = gathered(
    RunFlags,
    "flags",
    click.option(
        "-j", "--jobs", type=click.IntRange(1), metavar="N", help="Worker count, instead of execution.workers."
    ),
    click.option("--force", is_flag=True, help="Compute everything again, whatever is there."),
    click.option("--fail-fast", is_flag=True, help="Give the run up at the first image that fails (exit 3)."),
    click.option("--json", "as_json", is_flag=True, help="One JSON line per image, then one for the run, on stdout."),
    click.option("-q", "--quiet", is_flag=True, help="No progress and no messages, only the last lines."),
    click.option("-v", "--verbose", is_flag=True, help="One line per image."),
    click.option("--no-progress", is_flag=True, help="No progress bar or lines."),
)
selection_options = gathered(
    SelectionFlags,
    "selection",
    click.option("--only", multiple=True, metavar="GLOB", help="Only images whose id matches, e.g. 'trips/*.jpg'."),
    click.option("--only-failed", is_flag=True, help="Only images that failed before."),
    click.option("--limit", type=click.IntRange(0), metavar="N", help="At most this many images that need work."),
)
