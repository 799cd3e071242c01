"""Commands about the config: validate, init, schema."""

from __future__ import annotations

import click

from flatpipe.cli.options import A_PATH, ConfigChoice, config_options
from flatpipe.cli.sentences.planning import starter_text
from flatpipe.cli.showing.speaking import say, write_line
from flatpipe.errors import ExitCode


@click.command(short_help="Check a config and report every error in it.")
@config_options
@click.option("--resolved", is_flag=True, help="Print the whole config as it resolves, with where each value is from.")
def validate(chosen: ConfigChoice, resolved: bool) -> ExitCode:
    """Check CONFIG and report every error in it.

    \b
    Example: flatpipe validate --resolved -s flatten.k=2-8
    """
    from flatpipe.config import config_file, load_resolved, resolved_yaml
    from flatpipe.plan.inputs.places import check_input

    loaded = load_resolved(chosen.config_path, chosen.overrides, chosen.profile)
    check_input(loaded.config)
    say(resolved_yaml(loaded) if resolved else f"{config_file(chosen.config_path)}: ok")
    return ExitCode.DONE


@click.command(short_help="Write a starter config that suits a folder of images.")
@click.argument("folder", metavar="[DIR]", type=A_PATH, default=".")
def init(folder: str) -> None:
    """Write a starter pipeline.yaml into DIR, with values that suit the images there; never overwrites.

    Beside it goes flatpipe.schema.json, with which editors complete and explain the config.

    \b
    Example: flatpipe init photos && flatpipe plan photos
    """
    from flatpipe.cli.starting import write_starter

    say(starter_text(*write_starter(folder)))


@click.command(short_help="Print every key: as YAML, or as a schema for editors.")
@click.option(
    "--yaml", "as_yaml", is_flag=True, help="As a config, each key at its default with its meaning beside it."
)
def schema(as_yaml: bool) -> None:
    """Print the config's JSON Schema, for editors; with --yaml every key with its meaning, for people.

    \b
    Examples:
      flatpipe schema --yaml
      flatpipe schema > flatpipe.schema.json
    """
    from flatpipe.config import every_key_yaml, schema_text

    write_line((every_key_yaml() if as_yaml else schema_text()).removesuffix("\n"))
