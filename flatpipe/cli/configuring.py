"""Commands about the config: validate, init, schema."""

from __future__ import annotations

import click

from flatpipe.cli.options import A_PATH, ConfigChoice, config_options
from flatpipe.cli.speaking import say, write_line
from flatpipe.errors import ExitCode


@click.command(short_help="Check a config and report every error in it.")
@config_options
@click.option("--resolved", is_flag=True, help="Print the whole config as it resolves, with where each value is from.")
def validate(chosen: ConfigChoice, resolved: bool) -> ExitCode:
    """Check CONFIG and report every error in it.

    \b
    Example: flatpipe validate --resolved -s flatten.k=2-8
    """
    from flatpipe.config import load_resolved, resolved_yaml
    from flatpipe.plan.workspace import check_places

    loaded = load_resolved(chosen.config_path, chosen.overrides, chosen.profile)
    config = loaded.config
    check_places(config.input.path, config.output.path, config.execution.state_path)
    say(resolved_yaml(loaded) if resolved else f"{chosen.config_path}: ok")
    return ExitCode.DONE


@click.command(short_help="Write a starter config that suits a folder of images.")
@click.argument("folder", metavar="[DIR]", type=A_PATH, default=".")
def init(folder: str) -> None:
    """Write a starter pipeline.yaml into DIR, with values that suit the images there; never overwrites.

    Beside it goes flatpipe.schema.json, with which editors complete and explain the config.

    \b
    Example: flatpipe init photos && flatpipe plan photos/pipeline.yaml
    """
    from flatpipe.cli.starting import write_starter

    say(write_starter(folder))


@click.command()
def schema() -> None:
    """Print the config's JSON Schema, for editors.

    \b
    Example: flatpipe schema > flatpipe.schema.json
    """
    from flatpipe.config import schema_text

    write_line(schema_text().removesuffix("\n"))
