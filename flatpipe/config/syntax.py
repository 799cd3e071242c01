"""YAML text -> composed nodes, or what is wrong with the text, in words for somebody who does not know YAML's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import yaml

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
        raise SourceError(_syntax_problem(error, text.splitlines(), place)) from None
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


def _syntax_problem(error: yaml.MarkedYAMLError, lines: list[str], place: Place) -> Problem:
    story = f"{error.context}: {error.problem}"
    explanation = next((known for known in _EXPLANATIONS if re.search(known.pattern, story)), _UNEXPLAINED)
    mark = error.context_mark if explanation.at_beginning else error.problem_mark
    mark = mark or error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    text = lines[line] if line < len(lines) else ""
    if text[column - 1 : column + 1] == "${" or text[column : column + 2] == "${":
        return Problem(place(line, column), "", "a text with ${...} within [ ] or { } must be quoted")
    begun = error.context_mark.line + 1 if error.context_mark else line + 1
    words = explanation.words.replace("<problem>", str(error.problem or error.context))
    words = words.replace("<line>", str(begun)).replace("<sign>", text[column : column + 1])
    return Problem(place(line, column), "", words)


class _Explanation(NamedTuple):
    """What a message of PyYAML's means to somebody who writes a config."""

    pattern: str
    words: str
    at_beginning: bool = False
    # ^ points at where the broken thing begins, not at where PyYAML noticed


_UNEXPLAINED = _Explanation("", "not readable as YAML: <problem>")
_EXPLANATIONS = (
    _Explanation(r"character '\\t' that cannot", "a tab stands where YAML allows only spaces; indent with spaces"),
    _Explanation("cannot start any token", "a text that begins with <sign> must be quoted"),
    _Explanation("scanning an alias", "a text that begins with * must be quoted", at_beginning=True),
    _Explanation("undefined alias", "no anchor of this name stands above; a text that begins with * must be quoted"),
    _Explanation("scanning an anchor", "a text that begins with & must be quoted", at_beginning=True),
    _Explanation("duplicate anchor", "this anchor's name is taken in line <line>"),
    _Explanation(
        "mapping values are not allowed",
        "this colon makes a key of what stands before it, where no key can be: "
        "quote the text, or check the indent and the line above",
    ),
    _Explanation("sequence entries are not allowed", "a list's - belongs on a line of its own, below its key"),
    _Explanation("expected ':'", "a key without a colon behind it", at_beginning=True),
    _Explanation(
        "quoted scalar: found unexpected end", "the quote that begins here is never closed", at_beginning=True
    ),
    _Explanation("escape", "no escape that YAML knows; double it (\\\\), or use single quotes, which take \\ as it is"),
    _Explanation("flow sequence", "the list that began in line <line> needs a comma or its ] before this"),
    _Explanation("flow mapping", "the mapping that began in line <line> needs a comma or its } before this"),
    _Explanation(
        "<block end>, but found '<scalar>'",
        "a text goes on behind its closing quote or bracket; put the whole text in quotes",
    ),
    _Explanation(
        "block (mapping|collection): expected <block end>|<document start>",
        "does not line up with what stands above; keys of one section start in the same column",
    ),
    _Explanation("content, but found '<stream end>'", "ends too early: a [ or { is never closed"),
    _Explanation(r"expected the node content, but found ','", "a comma too many"),
    _Explanation("expected the node content", "a text that begins with <sign> must be quoted"),
    _Explanation("found incompatible YAML document", "only YAML 1 is read"),
)


def code_point(character: str | int) -> str:
    """The character's name in Unicode's tables: U+FEFF."""
    return f"U+{character if isinstance(character, int) else ord(character):04X}"
