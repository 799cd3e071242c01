"""What is wrong in a config, told as a compiler would: place, key, what is allowed, the line with a caret."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from flatpipe.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was written: file (or "-s argument"), 1-based line and column, and the line's text."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error in a config."""

    origin: Origin
    key: str
    # ^ dotted: flatten.k
    message: str

    def __str__(self) -> str:
        head = f"{self.origin}: {self.key + ': ' if self.key else ''}{self.message}"
        if not self.origin.text.strip():
            return head
        margin = "".join("\t" if char == "\t" else " " for char in self.origin.text[: self.origin.column - 1])
        return f"{head}\n    {self.origin.text}\n    {margin}^"


class ConfigProblems(ConfigError):
    """All errors of a config at once, in the order of their places."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems), key=lambda problem: (problem.origin.file, problem.origin.line,
                                                                   problem.origin.column, problem.key))  # fmt: skip
        count = len(self.problems)
        listing = "\n".join(map(str, self.problems))
        super().__init__(f"{count} error{'s' * (count != 1)} in the config\n{listing}")


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'space'?` for the nearest known word, or "" when none is near."""
    near = get_close_matches(word.lower(), [str(name).lower() for name in known], n=1, cutoff=0.5)
    if not near:
        return ""
    original = next(name for name in known if name.lower() == near[0])
    return f"; did you mean '{original}'?"
