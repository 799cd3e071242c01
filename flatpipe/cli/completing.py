"""The command that teaches a shell to complete flatpipe's commands: completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from flatpipe.cli.showing.speaking import write_line

_SHELLS = ("bash", "zsh", "fish")
COMPLETE_VARIABLE = "_FLATPIPE_COMPLETE"


@click.command(short_help="Print a script that completes the command line.")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, flags, choices and file names with the Tab key.

    \b
    Examples:
      echo 'eval "$(flatpipe completion bash)"' >> ~/.bashrc
      echo 'eval "$(flatpipe completion zsh)"' >> ~/.zshrc
      flatpipe completion fish > ~/.config/fish/completions/flatpipe.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    write_line(kind(context.find_root().command, {}, "flatpipe", COMPLETE_VARIABLE).source())
