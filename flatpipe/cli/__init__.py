"""Arguments, streams and exit codes. Commands import what they need: `--help` must not wait for numba or Dask."""

from __future__ import annotations

import io
import os

import click

from flatpipe.cli.cleaning import clean
from flatpipe.cli.completing import COMPLETE_VARIABLE, completion
from flatpipe.cli.configuring import init, schema, validate
from flatpipe.cli.flattening import flatten
from flatpipe.cli.inspecting import explain, status
from flatpipe.cli.merging import merge
from flatpipe.cli.planning import plan
from flatpipe.cli.proving import diff, verify
from flatpipe.cli.reporting import report
from flatpipe.cli.running import run
from flatpipe.cli.searching import search
from flatpipe.cli.showing.speaking import end_process, prepare_streams, remark
from flatpipe.errors import ConfigError, ExitCode, FlatpipeError, StdoutLost
from flatpipe.text import nearest
from flatpipe.versions import __version__

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
# ^ columns: that of a terminal nobody has made wider


def main() -> None:
    """The console entry point."""
    prepare_streams()
    try:
        exit_code = cli.main(prog_name="flatpipe", complete_var=COMPLETE_VARIABLE, standalone_mode=False)
    except click.exceptions.Abort:
        exit_code = ExitCode.INTERRUPTED
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        remark(shown.getvalue().removesuffix("\n"))
        exit_code = ExitCode.USAGE
    except StdoutLost as error:
        if not error.has_left:
            remark(f"flatpipe: {error}")
        exit_code = error.exit_code
    except FlatpipeError as error:
        remark(f"flatpipe: {error}")
        exit_code = error.exit_code
    end_process(exit_code if isinstance(exit_code, int) else ExitCode.DONE)


class _Groups(click.Group):
    """Commands stand by what they are for, in the order in which a user meets them; a place alone is flattened."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """A list of commands for each purpose."""
        for title, commands in _GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(str(one.name), one.get_short_help_str(_SHORT_HELP)) for one in commands])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; that of `flatpipe photos` is flatten."""
        word = args[0]
        if word not in self.commands and ("://" in word or os.path.lexists(word)):
            return flatten.name, flatten, args
        if word in self.commands or word.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        near = nearest(word, self.commands)
        meant = f"; did you mean '{near}'?" if near else "; `flatpipe --help` lists the commands"
        raise ConfigError(f"no command and no file is called '{word}'{meant}")


@click.group(cls=_Groups, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="flatpipe")
def cli() -> None:
    """Flatten the colours of whole image collections with k-means.

    \b
    Examples:
      flatpipe flatten photos                   everything, at once
      flatpipe flatten photo.jpg -k 5 -o a.png  one picture
      flatpipe init photos                      a config for the folder
      flatpipe run photos                       do what it says
    """


_GROUPS = {
    "Start": (flatten, init, validate, schema, completion),
    "Work": (run, plan, merge),
    "Look": (status, explain, search, report),
    "Prove": (verify, diff, clean),
}
_SHORT_HELP = 64
# ^ characters beside a command's name
for _commands in _GROUPS.values():
    for _command in _commands:
        cli.add_command(_command)
