"""YAML text -> composed nodes, or what is wrong with the text, in words for somebody who does not know YAML's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from flatpipe.config.explanations import UNREADABLE, explain
from flatpipe.config.problems import Origin, Problem

MOST_NODES = 20_000
# ^ of a text, and once more after aliases are followed: a config has a few hundred, an alias bomb has billions
DEEPEST = 40
TOO_MANY = f"more than {MOST_NODES:,} values, aliases followed; a config has a few hundred"
TOO_DEEP = f"nested more than {DEEPEST} deep"

Place = Callable[[int, int], Origin]
# ^ from a 0-based line and column


class SourceError(Exception):
    """The text is no YAML that can be read; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _TooLarge(Exception):
    """More values, or deeper ones, than a config has; raised early, because PyYAML takes a second for 50 kB."""

    def __init__(self, words: str, mark: yaml.Mark) -> None:
        super().__init__(words)
        self.words, self.mark = words, mark


class _Loader(yaml.SafeLoader):
    """Composes nodes whose tags tell how they are written ("plain", "text", ...), not what YAML 1.1 makes of them."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._nodes += 1
        self._depth += 1
        if self._nodes > MOST_NODES or self._depth > DEEPEST + 1:
            words = TOO_MANY if self._nodes > MOST_NODES else TOO_DEEP
            raise _TooLarge(words, self.peek_event().start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:  # noqa: ARG002 - PyYAML's
        if kind is yaml.ScalarNode:
            return "plain" if implicit[0] else "text"
            # ^ implicit[0]: it stands without quotes and without a tag
        return "sequence" if kind is yaml.SequenceNode else "mapping"


def compose(text: str, place: Place) -> yaml.Node | None:
    """The root node of the text's only document, None when it is empty; raises SourceError."""
    try:
        documents = list(yaml.compose_all(text, Loader=_Loader))
    except _TooLarge as error:
        raise SourceError(Problem(place(error.mark.line, error.mark.column), "", error.words)) from None
    except yaml.MarkedYAMLError as error:
        raise SourceError(_syntax_problem(error, text, place)) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        words = f"the character {code_point(error.character)} may not stand in a config"
        raise SourceError(Problem(place(before.count("\n"), len(before.rpartition("\n")[2])), "", words)) from None
    except ValueError as error:
        # ^ such as a %YAML directive whose version is no number that Python would read
        raise SourceError(Problem(place(0, 0), "", f"not readable as YAML: {error}")) from None
    if len(documents) > 1:
        mark = documents[1].start_mark
        words = "a second document begins here; a config is one document"
        raise SourceError(Problem(place(mark.line, mark.column), "", words))
    return documents[0] if documents else None


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, place: Place) -> Problem:
    noticed = error.problem_mark or error.context_mark
    if noticed is None:
        return Problem(place(0, 0), "", f"{UNREADABLE}: {error.problem}")
    begun = error.context_mark or noticed
    found = explain(error, text, begun, noticed)
    mark = begun if found.at_beginning else noticed
    line = (text.splitlines() or [""])[mark.line : mark.line + 1] or [""]
    if "${" in line[0][max(0, mark.column - 1) : mark.column + 2]:
        return Problem(place(mark.line, mark.column), "", "a text with ${...} within [ ] or { } must be quoted")
    return Problem(place(mark.line, mark.column), "", found.words)


def code_point(character: str | int) -> str:
    """The character's name in Unicode's tables: U+FEFF."""
    return f"U+{character if isinstance(character, int) else ord(character):04X}"
