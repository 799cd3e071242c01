"""Each list of words that a user chooses among is written once; whatever lists them elsewhere derives from it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

import flatpipe
from flatpipe import vocabulary
from flatpipe.config.fields import all_keys, field_at
from flatpipe.config.problems import dotted
from flatpipe.quantize import options

PACKAGE = Path(__file__).parent.parent / "flatpipe"
HOMES = {"vocabulary.py", "quantize/options.py"}

WORDS: dict[str, tuple[str, ...]] = {
    name: get_args(words)
    for module in (vocabulary, options)
    for name, words in vars(module).items()
    if get_origin(words) is Literal
}
EXCUSED = {
    ("__init__.py", "Stage"): "names of the API's functions, which are those of two stages because they do the same",
    ("api/__init__.py", "Stage"): "as above",
    ("config/documents/reference.py", "Truncated"): "an example of a message, as it is printed",
}


def _groups(tree: ast.Module) -> Iterator[tuple[int, list[str], bool]]:
    """Line, texts, and whether they are keys of a table, of all that holds words side by side: (), [], {}, "a, b"."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            yield node.lineno, _texts(node.elts), False
        elif isinstance(node, ast.Dict):
            yield node.lineno, _texts(node.keys), True
            yield node.lineno, _texts(node.values), False
        elif isinstance(node, ast.Compare | ast.BoolOp):
            yield node.lineno, [text for inner in ast.walk(node) for text in _texts([inner])], False
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            for phrase in re.findall(r"\w+(?:(?:, | or | and |, or |\|)\w+)+", node.value):
                yield node.lineno, re.findall(r"\w+", phrase), False


def _texts(nodes: list[ast.expr] | list[ast.expr | None] | list[ast.AST]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _copies(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and vocabulary of each place with two or more of its words that is no table with a row for every word."""
    for line, texts, is_table in _groups(tree):
        if is_table and any(set(texts) == set(words) for words in WORDS.values()):
            continue
        for name, words in WORDS.items():
            if len(set(texts) & set(words)) > 1:
                yield line, name


def test_no_list_of_words_is_written_a_second_time() -> None:
    """No tuple, list, set, dict, Literal, comparison or text of the package holds two words of one vocabulary."""
    copies, excused = set(), set()
    for file in sorted(PACKAGE.rglob("*.py")):
        path = file.relative_to(PACKAGE).as_posix()
        for line, name in () if path in HOMES else _copies(ast.parse(file.read_text(encoding="utf-8"))):
            excuse = {(path, kind) for kind in WORDS if set(WORDS[kind]) <= set(WORDS[name])} & EXCUSED.keys()
            excused |= excuse
            copies |= set() if excuse else {f"{path}:{line} repeats {name}"}
    assert copies == set()
    assert excused == EXCUSED.keys(), "an excuse that nothing needs"


@pytest.mark.parametrize(
    "code",
    [
        'Kind = Literal["gif", "webp", "apng"]',
        'KINDS = ("gpl", "ase")',
        'KINDS = {"mse", "ssim", "other"}',
        'SUFFIX = {"gif": 1, "webp": 2}',
        'SUFFIX = {1: "gif", 2: "webp"}',
        'is_known = kind == "gif" or kind == "webp"',
        'HELP = "the space: rgb or oklab"',
        'HELP = f"one of {name}, mse, psnr"',
    ],
)
def test_a_second_list_is_seen(code: str) -> None:
    """The search finds a copy in each of the forms that it can have."""
    assert list(_copies(ast.parse(code)))


def test_every_word_of_a_key_is_explained() -> None:
    """The meaning of a key that takes one of some words names each of them."""
    fields = {dotted(path): field for path in all_keys() if (field := field_at(path)) is not None}
    choices = {key: field for key, field in fields.items() if get_args(field.annotation) in WORDS.values()}
    assert {"flatten.space", "animation.format", "execution.scheduler"} <= choices.keys()
    unexplained = [
        f"{key}: {word}"
        for key, field in choices.items()
        for word in get_args(field.annotation)
        if word not in (field.description or "")
    ]
    assert unexplained == []


def test_every_word_of_an_argument_is_explained() -> None:
    """The docstring of flatpipe.flatten names every space, and for the solvers the key whose meaning names them all."""
    told = flatpipe.flatten.__doc__ or ""
    assert [word for word in (*WORDS["Space"], "`flatten.solver`") if word not in told] == []
    solvers = field_at(("flatten", "solver"))
    assert solvers is not None
    assert get_args(solvers.annotation) == WORDS["Solver"], "explained by the test before"
