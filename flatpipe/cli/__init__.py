"""Arguments, streams and exit codes. Commands import what they need: `--help` must not wait for numba or Dask."""

from __future__ import annotations

import io
import sys

import click

from flatpipe.cli.cleaning import clean
from flatpipe.cli.completing import COMPLETE_VARIABLE, completion
from flatpipe.cli.configuring import init, schema, validate
from flatpipe.cli.inspecting import explain, status
from flatpipe.cli.planning import plan
from flatpipe.cli.proving import diff, verify
from flatpipe.cli.reporting import report
from flatpipe.cli.running import flatten, run
from flatpipe.cli.speaking import prepare_streams, remark
from flatpipe.errors import ExitCode, FlatpipeError, StdoutLost
from flatpipe.versions import __version__

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


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
    sys.exit(exit_code if isinstance(exit_code, int) else ExitCode.DONE)


class _InOrder(click.Group):
    """Commands stand in the order in which a user meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


@click.group(cls=_InOrder, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="flatpipe")
def cli() -> None:
    """Flatten the colours of whole image collections with k-means.

    \b
    Examples:
      flatpipe init photos                 write a starter config, photos/pipeline.yaml
      flatpipe plan photos/pipeline.yaml   what a run would do, and why
      flatpipe run photos/pipeline.yaml    do it
      flatpipe flatten photo.jpg -k 2-8    a few images, no config
    """


_WORK, _LOOK, _PROVE = (run, plan, flatten), (status, explain, report), (verify, diff, clean)
for _command in (*_WORK, *_LOOK, *_PROVE, init, validate, schema, completion):
    cli.add_command(_command)
