"""What a command is given: typed records of its options, and nothing of unknown type."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from flatpipe.cli.options import gathered
from flatpipe.errors import ExitCode

CLI = Path(__file__).parent.parent.parent / "flatpipe" / "cli"
UNTYPED = {"Any", "object"}


@dataclass(frozen=True)
class _Flags:
    number: int
    loud: bool


def test_options_reach_a_command_as_one_record() -> None:
    """A gathered group is one argument; options beside it come as they are, and help lists all in their order."""

    @click.command()
    @click.option("--word")
    @gathered(_Flags, "flags", click.option("--number", type=int), click.option("--loud", is_flag=True))
    @click.option("--last")
    def command(word: str, flags: _Flags, last: str) -> ExitCode:
        click.echo(f"{word} {flags} {last}")
        return ExitCode.DONE

    told = CliRunner().invoke(command, ["--last", "z", "--number", "3", "--word", "a", "--loud"]).output

    assert told == "a _Flags(number=3, loud=True) z\n"
    assert [option.name for option in command.params] == ["word", "number", "loud", "last"]


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda path: path.stem)
def test_no_parameter_is_of_unknown_type(path: Path) -> None:
    """Every parameter of the command line's functions says what it is; only `gathered` passes on what it was given."""
    untyped = [
        f"{function.name}({parameter.arg})"
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for parameter in [*function.args.args, *function.args.kwonlyargs, function.args.vararg, function.args.kwarg]
        if parameter is not None and parameter.annotation is not None and _words(parameter.annotation) & UNTYPED
    ]
    assert untyped == {"options": ["called(given)"], "json_lines": ["print_json(content)"]}.get(path.stem, [])


def _words(annotation: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
