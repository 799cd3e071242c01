"""Arguments, streams and exit codes. Commands import what they need: `--help` must not wait for numba or Dask."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from flatpipe import __version__
from flatpipe.errors import FlatpipeError

Command = TypeVar("Command", bound=Callable[..., Any])

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> None:
    """The console entry point."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except FlatpipeError as error:
        click.echo(f"flatpipe: {_printable(str(error))}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # ^ whoever read our output has left; the interpreter's own flush at exit must not complain
        code = 141
    sys.exit(code if isinstance(code, int) else 0)


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@click.group(context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="flatpipe")
def cli() -> None:
    """Flatten the colours of whole image collections with k-means.

    \b
    flatpipe run                     do what pipeline.yaml says
    flatpipe plan                    what a run would do, and why
    flatpipe flatten photo.jpg -k 2-8   a few images, no config
    """


def _config_options(command: Command) -> Command:
    command = click.option(
        "-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a config key: -s flatten.k=2-8."
    )(command)
    command = click.option("--profile", metavar="NAME", help="Use this named part of the config's `profiles`.")(command)
    return click.argument("config_path", metavar="[CONFIG]", default="pipeline.yaml")(command)


def _run_options(command: Command) -> Command:
    for option in (
        click.option("-j", "--jobs", type=click.IntRange(1), help="Worker count, instead of execution.workers."),
        click.option("--force", is_flag=True, help="Compute everything again, whatever is there."),
        click.option("--fail-fast", is_flag=True, help="Give the run up at the first image that fails (exit 3)."),
        click.option(
            "--json", "as_json", is_flag=True, help="One JSON line per image, then one for the run, on stdout."
        ),
        click.option("-q", "--quiet", is_flag=True, help="No progress and no messages, only the last lines."),
        click.option("-v", "--verbose", is_flag=True, help="One line per image."),
        click.option("--no-progress", is_flag=True, help="No progress bar or lines."),
    ):
        command = option(command)
    return command


def _selection_options(command: Command) -> Command:
    for option in (
        click.option("--only", multiple=True, metavar="GLOB", help="Only images whose id matches, e.g. 'trips/*.jpg'."),
        click.option("--only-failed", is_flag=True, help="Only images that failed before."),
        click.option("--limit", type=click.IntRange(0), help="At most this many images that need work."),
    ):
        command = option(command)
    return command


@cli.command()
@_config_options
@_run_options
@_selection_options
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and why; same as `flatpipe plan`.")
def run(config_path: str, overrides: tuple[str, ...], profile: str | None, dry_run: bool, **flags: Any) -> int:
    """Bring every output that CONFIG asks for up to date (default: pipeline.yaml).

    A second run does nothing; a changed config or image recomputes what it touches.

    \b
    Example: flatpipe run -s flatten.k=2-8 -j 4

    \b
    Exit codes: 0 all is there and right, 1 some images failed, 2 usage or config error,
    3 the run was given up, 130 or 143 interrupted (run again to go on).
    """
    config = _load_config(config_path, overrides, profile, flags.pop("jobs"))
    if dry_run:
        return _show_plan(config, flags)
    return _run(config, flags)


@cli.command()
@_config_options
@_selection_options
@click.option("--force", is_flag=True, help="Plan as if nothing were there.")
@click.option("-v", "--verbose", is_flag=True, help="One line per image that needs work, with the reason.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per image, then the totals.")
def plan(config_path: str, overrides: tuple[str, ...], profile: str | None, **flags: Any) -> int:
    """Say what `flatpipe run` would do, and why; writes nothing.

    \b
    Example: flatpipe plan -v -s flatten.k=2-16
    """
    return _show_plan(_load_config(config_path, overrides, profile), flags)


@cli.command()
@_config_options
@click.option("--resolved", is_flag=True, help="Print the whole config as it resolves, with where each value is from.")
def validate(config_path: str, overrides: tuple[str, ...], profile: str | None, resolved: bool) -> int:
    """Check CONFIG and report every error in it.

    \b
    Example: flatpipe validate --resolved -s flatten.k=2-8
    """
    from flatpipe.config import load_resolved, resolved_yaml
    from flatpipe.planning import check_places

    loaded = load_resolved(config_path, overrides, profile)
    check_places(str(loaded.config.input.path), str(loaded.config.output.path))
    click.echo(resolved_yaml(loaded) if resolved else f"{config_path}: ok")
    return 0


@cli.command()
@click.argument("folder", metavar="[DIR]", default=".")
def init(folder: str) -> None:
    """Write a starter pipeline.yaml into DIR, with values that suit the images there; never overwrites.

    \b
    Example: flatpipe init photos && flatpipe plan photos/pipeline.yaml
    """
    from flatpipe.starting import write_starter

    click.echo(write_starter(folder))


@cli.command()
def schema() -> None:
    """Print the config's JSON Schema, for editors: flatpipe schema > flatpipe.schema.json."""
    from flatpipe.config import schema_text

    click.echo(schema_text(), nl=False)


@cli.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("-k", "ks", default="2-15", show_default=True, metavar="K", help="Numbers of colours: 8, 2-15 or 2,4,8.")
@click.option("-o", "--output", default="flat", show_default=True, metavar="DIR", help="Where results go.")
@click.option("-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set a config key.")
@_run_options
def flatten(images: tuple[str, ...], ks: str, output: str, overrides: tuple[str, ...], **flags: Any) -> int:
    """Flatten a few images without a config: results in DIR/images/<name>/.

    \b
    Example: flatpipe flatten photo.jpg -k 2-8 -o flat
    """
    from flatpipe.config import Argument, default_config
    from flatpipe.files.discover import as_sources

    try:
        sources = as_sources(images)
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from error
    jobs = flags.pop("jobs")
    workers = () if jobs is None else (Argument("-j", "execution.workers", jobs),)
    common = os.path.dirname(sources[0].path)  # noqa: PTH120
    own = (Argument("-o", "output.path", output), Argument("-k", "flatten.k", ks), *workers)
    config = default_config(common, (*own, *overrides))
    return _run(config, flags, sources)


def _load_config(path: str, overrides: tuple[str, ...], profile: str | None, jobs: int | None = None) -> Any:
    from flatpipe.config import load_config

    if jobs is not None:
        overrides = (*overrides, f"execution.workers={jobs}")
    return load_config(path, overrides, profile)


def _request(flags: dict[str, Any]) -> Any:
    from flatpipe.planning import Request

    return Request(
        only=flags.get("only", ()),
        only_failed=flags.get("only_failed", False),
        limit=flags.get("limit"),
        force=flags.get("force", False),
        fail_fast=flags.get("fail_fast", False),
    )


def _run(config: Any, flags: dict[str, Any], sources: Any = None) -> int:
    from flatpipe.files.quiet import silence_c_libraries
    from flatpipe.pipeline import run as run_pipeline
    from flatpipe.report.screen import Screen

    silence_c_libraries()
    screen = Screen(
        quiet=flags["quiet"], verbose=flags["verbose"], as_json=flags["as_json"], progress=not flags["no_progress"]
    )
    try:
        summary = run_pipeline(config, _request(flags), screen, sources)
    finally:
        screen.close()
    screen.end(summary)
    return summary.exit_code


def _show_plan(config: Any, flags: dict[str, Any]) -> int:
    from dataclasses import asdict

    from flatpipe.files.discover import RefusedFile
    from flatpipe.planning import PlanCounts, open_workspace, plan_images
    from flatpipe.report.screen import plan_text, print_json, printable

    counts = PlanCounts()
    with open_workspace(config, for_writing=False) as workspace:
        for item in plan_images(workspace, _request(flags), counts):
            reason = f"refused: {item.failure.message}" if isinstance(item, RefusedFile) else item.reason
            if flags["as_json"]:
                ks = [] if isinstance(item, RefusedFile) else list(item.ks)
                print_json({"event": "image", "image": item.source.image_id, "ks": ks, "reason": reason})
            elif flags["verbose"] and reason:
                click.echo(f"{printable(item.source.image_id)}: {printable(reason)}")
    if flags["as_json"]:
        print_json({"event": "plan", **asdict(counts.summary())})
    else:
        click.echo(plan_text(counts.summary()), nl=False)
    return 0
