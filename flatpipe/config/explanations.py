"""What an error of PyYAML's means to somebody who writes a config, found by its class and by what stands at its marks.

The messages of PyYAML are in the words of its grammar and may change with it; its classes and places do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

UNREADABLE = "not readable as YAML"

_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'(?!')""", re.DOTALL)
_SEPARATOR = re.compile(r"(?:---|\.\.\.)(?:\s|$)")
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
# ^ what may stand before a value: its anchor, its tag
_KNOWN_VERSION = re.compile(r"%YAML\s+1\.")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is wrong, in words."""

    words: str
    at_beginning: bool = False
    # ^ is to point at where the broken thing begins, not at where PyYAML noticed


@dataclass(frozen=True, slots=True)
class _Scene:
    """What stands where something began, and where PyYAML noticed that it cannot go on."""

    text: str
    begun: yaml.Mark
    noticed: yaml.Mark
    is_begun: bool
    # ^ False when PyYAML names no beginning; `begun` is where it noticed then
    problem: str
    # ^ in PyYAML's words, for what has none of ours

    @property
    def first(self) -> str:
        """The character with which it began; "" at the end of the text."""
        return self.text[self.begun.index : self.begun.index + 1]

    @property
    def sign(self) -> str:
        """The character at which PyYAML stopped; "" at the end of the text, or of the document."""
        if self.noticed.column == 0 and _SEPARATOR.match(self.text, self.noticed.index):
            return ""
        return self.text[self.noticed.index : self.noticed.index + 1].strip("\0")

    @property
    def between(self) -> str:
        """What stands from the beginning to where PyYAML stopped."""
        return self.text[self.begun.index : self.noticed.index]

    @property
    def is_one_word(self) -> bool:
        """Whether PyYAML stopped within the very word that began: a key without a colon is noticed behind it."""
        return len(self.between) == 1 or (self.sign != "" and "\n" not in self.between)

    def unexplained(self) -> Explanation:
        """The problem in PyYAML's words."""
        return Explanation(f"{UNREADABLE}: {self.problem}")


def explain(error: yaml.MarkedYAMLError, text: str, begun: yaml.Mark, noticed: yaml.Mark) -> Explanation:
    """What the error means; `begun` is where the broken thing begins, `noticed` where PyYAML saw it."""
    scene = _Scene(text, begun, noticed, error.context_mark is not None, str(error.problem or error.context))
    if isinstance(error, yaml.scanner.ScannerError):
        return _of_a_part(scene) if scene.is_begun else _of_a_sign(scene)
    if isinstance(error, yaml.composer.ComposerError):
        return _of_an_anchor(scene)
    return _of_the_structure(scene) if isinstance(error, yaml.parser.ParserError) else scene.unexplained()


def _of_a_sign(scene: _Scene) -> Explanation:
    """A character that cannot stand where it does."""
    if scene.sign == "\t":
        return Explanation("a tab stands where YAML allows only spaces; indent with spaces")
    if scene.sign == ":":
        return Explanation(
            "this colon makes a key of what stands before it, where no key can be: "
            "quote the text, or check the indent and the line above"
        )
    if scene.sign == "-":
        return Explanation("a list's - belongs on a line of its own, below its key")
    return scene.unexplained() if scene.sign == "?" else _must_be_quoted(scene.sign)


def _of_a_part(scene: _Scene) -> Explanation:
    """A text in quotes, an alias, an anchor, a tag, a block of lines or a directive that is broken, or a key."""
    if scene.first in ('"', "'"):
        quoted = _QUOTED.match(scene.text, scene.begun.index)
        if (quoted is None or scene.noticed.index < quoted.end()) and not scene.sign:
            return Explanation("the quote that begins here is never closed", at_beginning=True)
        if quoted is None or scene.noticed.index < quoted.end():
            return Explanation(
                "no escape that YAML knows; double it (\\\\), or use single quotes, which take \\ as it is"
            )
    elif scene.first in ("*", "&") and scene.is_one_word:
        return _must_be_quoted(scene.first, at_beginning=True)
    elif scene.first == "%" or (scene.first in ("!", "|", ">") and scene.is_one_word):
        return scene.unexplained()
    return Explanation("a key without a colon behind it", at_beginning=True)


def _of_an_anchor(scene: _Scene) -> Explanation:
    if scene.is_begun:
        return Explanation(f"this anchor's name is taken in line {scene.begun.line + 1}")
    return Explanation("no anchor of this name stands above; a text that begins with * must be quoted")


def _of_the_structure(scene: _Scene) -> Explanation:
    """Brackets, columns and values that do not fit together."""
    if not scene.is_begun and scene.sign == "%":
        is_known = _KNOWN_VERSION.match(scene.text, scene.noticed.index)
        return scene.unexplained() if is_known else Explanation("only YAML 1 is read")
    if scene.is_begun and _PROPERTIES.fullmatch(scene.between):
        return _of_a_missing_value(scene)
    if scene.first in ("[", "{") and scene.is_begun:
        what, end = ("list", "]") if scene.first == "[" else ("mapping", "}")
        return Explanation(
            f"the {what} that began in line {scene.begun.line + 1} needs a comma or its {end} before this"
        )
    before = scene.text[scene.noticed.index - scene.noticed.column : scene.noticed.index]
    if before.strip(" -"):
        return Explanation("a text goes on behind its closing quote or bracket; put the whole text in quotes")
    return Explanation("does not line up with what stands above; keys of one section start in the same column")


def _of_a_missing_value(scene: _Scene) -> Explanation:
    if not scene.sign:
        return Explanation("ends too early: a [ or { is never closed")
    return Explanation("a comma too many") if scene.sign == "," else _must_be_quoted(scene.sign)


def _must_be_quoted(sign: str, *, at_beginning: bool = False) -> Explanation:
    return Explanation(f"a text that begins with {sign} must be quoted", at_beginning)
