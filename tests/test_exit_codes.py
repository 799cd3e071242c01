"""Exit codes: one list, from which the commands, the help text and the pages take them."""

from __future__ import annotations

import ast
import signal
from collections.abc import Iterator
from pathlib import Path

from flatpipe.cli import cli
from flatpipe.errors import ConfigError, ExitCode, FlatpipeError, RunGivenUp

ROOT = Path(__file__).parent.parent
ENDS = {"exit", "_exit", "SystemExit", "Exit"}
# ^ what ends a process with the code that it is given
OF_SIGNALS = {128 + signal.SIGHUP, 128 + signal.SIGINT, 128 + signal.SIGPIPE, 128 + signal.SIGTERM}


def _places(tree: ast.Module) -> Iterator[ast.expr]:
    """Every expression of a module that stands where an exit code does."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target, *_], value=value) if _is_code(target):
                yield value
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _is_code(target):
                yield value
            case ast.keyword(arg="exit_code", value=value):
                yield value
            case ast.Compare(left=left, comparators=others) if any(map(_is_code, (left, *others))):
                yield from (left, *others)
            case ast.Call(func=function, args=arguments) if _name(function) in ENDS:
                yield from arguments


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_code(node: ast.expr) -> bool:
    return _name(node) == "exit_code"


def _numbers(tree: ast.Module) -> list[int]:
    """The lines where a number stands for an exit code."""
    inside = [inner for place in _places(tree) for inner in ast.walk(place) if isinstance(inner, ast.Constant)]
    anywhere = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in OF_SIGNALS]
    return [node.lineno for node in [*inside, *anywhere] if type(node.value) is int]


def _commands(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """The functions that click calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            "click.command" in ast.unparse(one) for one in node.decorator_list
        ):
            yield node


def test_no_other_module_writes_an_exit_code_as_a_number() -> None:
    """Only errors.py says which number an exit code is."""
    written = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "flatpipe").rglob("*.py"))
        if path.name != "errors.py"
        for line in _numbers(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert written == []


def test_commands_return_exit_codes() -> None:
    """Every command returns an ExitCode, which mypy holds to be no number, or nothing at all."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "flatpipe" / "cli").glob("*.py")]
    returned = {
        command.name: ast.unparse(command.returns or ast.Constant(None))
        for tree in trees
        for command in _commands(tree)
    }
    assert len(returned) == len(cli.commands)
    assert set(returned.values()) == {"ExitCode", "None"}


def test_the_readme_tells_every_exit_code() -> None:
    """The README's table has the codes with their meanings, in order, and no other."""
    table = "".join(f"| {code:d} | {code.meaning} |\n" for code in ExitCode)
    assert f"| exit code | meaning |\n|---|---|\n{table}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_numbers_are_those_that_scripts_rely_on() -> None:
    """The numbers are a contract: 0 to 4, and 128 with the signal that ended it."""
    assert [*ExitCode] == [0, 1, 2, 3, 4, *sorted(OF_SIGNALS)]
    assert (FlatpipeError.exit_code, ConfigError.exit_code, RunGivenUp.exit_code) == (3, 2, 3)
    assert repr(ExitCode.DIFFERENT) == f"{ExitCode.DIFFERENT}" == "4"
