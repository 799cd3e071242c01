"""Write docs/commands.md from the commands themselves: python docs/make_commands.py."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from flatpipe.cli import cli
from flatpipe.errors import ExitCode

PLACE = Path(__file__).with_name("commands.md")

HEAD = """\
# Commands

Results go to stdout, everything else to stderr; nothing ever asks a question. `flatpipe --version` tells the version,
`-h` (or `--help`) after any command tells what stands here. `NO_COLOR` is honoured.

This page is written from the commands themselves (`python docs/make_commands.py`).

| exit code | meaning |
|---|---|
"""

TAIL = """
What `--json` prints: [json.md](json.md). The same from a program: [python.md](python.md).
"""


def commands_page() -> str:
    """The text of docs/commands.md: every command with usage, meaning, examples, arguments and flags."""
    codes = "".join(f"| {code:d} | {code.meaning} |\n" for code in ExitCode)
    return HEAD + codes + "".join(map(_section, cli.commands.values())) + TAIL


def _section(command: click.Command) -> str:
    context = click.Context(command, info_name=f"flatpipe {command.name}")
    usage = " ".join([f"flatpipe {command.name}", *command.collect_usage_pieces(context)])
    flags = [option for option in command.params if isinstance(option, click.Option)]
    parts = [f"\n## `{command.name}`\n", _code(usage), *_paragraphs(command)]
    if flags:
        parts.append("| flag | meaning |\n|---|---|\n" + "".join(_row(option, context) for option in flags))
    return "\n".join(parts)


def _paragraphs(command: click.Command) -> Iterator[str]:
    """The help text: running text as it is, examples as code."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if (found := re.match(r"\x08\nExamples?:\s*", paragraph)) is not None:
            yield _code("\n".join(line.strip() for line in paragraph[found.end() :].splitlines()))
        else:
            yield _words(paragraph.removeprefix("\b")) + "\n"


def _code(text: str) -> str:
    return f"```\n{text}\n```\n"


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None
    return f"| {', '.join(f'`{name}`' for name in record[0].split(', '))} | {_words(record[1])} |\n"


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;").strip()


if __name__ == "__main__":
    PLACE.write_text(commands_page(), encoding="utf-8")
