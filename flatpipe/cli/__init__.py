"""Arguments, streams and exit codes. Commands import what they need: `--help` must not wait for numba or Dask."""

from __future__ import annotations

import os
import sys

import click

from flatpipe import __version__
from flatpipe.cli.cleaning import clean
from flatpipe.cli.configuring import init, schema, validate
from flatpipe.cli.inspecting import explain, status
from flatpipe.cli.planning import plan
from flatpipe.cli.proving import diff, verify
from flatpipe.cli.running import flatten, run
from flatpipe.errors import FlatpipeError

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


for _command in (run, plan, flatten, status, explain, verify, diff, clean, init, validate, schema):
    cli.add_command(_command)
