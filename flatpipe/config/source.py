"""YAML text -> plain values, and where in the text each of them stands.

PyYAML composes; its scalars are read here by YAML 1.2's core rules, so that `no` is a word, `1e-3` a number, and the
program agrees with editors. Duplicate keys, tabs and alias bombs are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from flatpipe.config.problems import Origin, Problem

Path = tuple[str | int, ...]

_MOST_NODES = 20_000
# ^ after aliases are followed: a config has a few hundred, an alias bomb has billions
_DEEPEST = 40

_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_TRUE, _FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9][0-9_]*|0o[0-7_]+|0x[0-9a-fA-F_]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?")


class SourceError(Exception):
    """The text is no YAML that can be read; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class Source:
    """Plain values of a YAML text; origins of keys and values by path; problems that do not prevent reading."""

    values: dict[str, Any]
    origins: dict[Path, Origin] = field(default_factory=dict)
    # ^ of each value
    key_origins: dict[Path, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_source(text: str, name: str) -> Source:
    """The mapping that a YAML text holds; raises SourceError when it holds none."""
    lines = text.splitlines()
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise SourceError(_syntax_problem(error, name, lines)) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        words = "is nested too deeply" if isinstance(error, RecursionError) else _one_line(error)
        raise SourceError(Problem(Origin(name, 1, 1, ""), "", f"not readable as YAML: {words}")) from None
    if len(documents) > 1:
        raise SourceError(Problem(_origin(documents[1], name, lines), "", "only one YAML document is allowed"))
    root = documents[0] if documents else None
    if root is None:
        raise SourceError(Problem(Origin(name, 1, 1, ""), "", "the file is empty; input.path at least is needed"))
    if not isinstance(root, yaml.MappingNode):
        raise SourceError(Problem(_origin(root, name, lines), "", "must be a mapping of sections such as `input:`"))
    source = Source({})
    reader = _Reader(source, name, lines)
    source.values = reader.read(root, (), 0)
    return source


def read_scalar(text: str) -> Any:
    """The value of an unquoted YAML scalar, by the core rules of YAML 1.2."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return bool(_TRUE.fullmatch(text))
    if _INT.fullmatch(text):
        plain = text.replace("_", "")
        return int(plain, 0) if plain[:2] in ("0o", "0x") else int(plain)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return int(number) if "." not in text and number.is_integer() else number
        # ^ 1e3 is as whole a number as 1000
    return text


class _Reader:
    def __init__(self, source: Source, name: str, lines: list[str]) -> None:
        self._source, self._name, self._lines = source, name, lines
        self._nodes = 0

    def read(self, node: yaml.Node, path: Path, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > _MOST_NODES or depth > _DEEPEST:
            words = "aliases expand without end" if self._nodes > _MOST_NODES else "nested too deeply"
            raise SourceError(Problem(_origin(node, self._name, self._lines), _dotted(path), words))
        self._source.origins[path] = _origin(node, self._name, self._lines)
        if isinstance(node, yaml.ScalarNode):
            return read_scalar(node.value) if node.style is None else node.value
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, row), depth + 1) for row, item in enumerate(node.value)]
        return dict(self._pairs(node, path, depth))

    def _pairs(self, node: yaml.Node, path: Path, depth: int) -> Iterator[tuple[str, Any]]:
        seen: dict[str, Origin] = {}
        for key_node, value_node in node.value:
            origin = _origin(key_node, self._name, self._lines)
            if not isinstance(key_node, yaml.ScalarNode):
                self._source.problems.append(Problem(origin, _dotted(path), "a key must be a word"))
                continue
            key = str(key_node.value)
            inner = (*path, key)
            if key in seen:
                words = f"given twice; first in line {seen[key].line}"
                self._source.problems.append(Problem(origin, _dotted(inner), words))
                continue
            seen[key] = self._source.key_origins[inner] = origin
            yield key, self.read(value_node, inner, depth + 1)


def _origin(node: yaml.Node, name: str, lines: list[str]) -> Origin:
    mark = node.start_mark
    return Origin(name, mark.line + 1, mark.column + 1, lines[mark.line] if mark.line < len(lines) else "")


def _syntax_problem(error: yaml.MarkedYAMLError, name: str, lines: list[str]) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    text = lines[line] if line < len(lines) else ""
    words = str(error.problem or "not readable as YAML")
    if "\t" in text[: column + 1]:
        words = "a tab stands where YAML allows only spaces"
    return Problem(Origin(name, line + 1, column + 1, text), "", words)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
