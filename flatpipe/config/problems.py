"""What is wrong in a config, told as a compiler would: place, key, what is allowed, the line with a caret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from flatpipe.errors import ConfigError

KeyPath = tuple[str | int, ...]
# ^ where a value stands in a config: keys, and rows of lists

_MOST_SHOWN = 100
# ^ errors of one config that are told in full: a file of another kind may have thousands

_WIDEST = 160
# ^ characters of a source line that are shown around its caret


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was written: a file with line and column (1-based), or a command's argument."""

    file: str
    # ^ as the user named it; for an argument its flag: "-s"
    line: int
    # ^ 0 for an argument
    column: int
    text: str = ""
    # ^ the whole line, or the argument as it was given
    profile: str = ""
    # ^ the profile whose part of the file this is
    written: str = ""
    # ^ the value before variables were put in; "" when there are none in it

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def within_profile(self, profile: str) -> Origin:
        """The same place, known to be part of a profile."""
        return replace(self, profile=profile)


@dataclass(frozen=True, slots=True)
class Problem:
    """One error in a config."""

    origin: Origin
    key: str
    # ^ dotted: flatten.k
    message: str
    is_incomplete: bool = False
    # ^ True when something is missing that a profile or an override may still bring

    def __str__(self) -> str:
        profile = f"profiles.{self.origin.profile}." if self.origin.profile else ""
        key = _printable(f"{profile}{self.key}")[:_WIDEST]
        head = f"{self.origin}: {f'{key}: ' if self.key else ''}{self.message}"
        return f"{head}{_pointed_at(self.origin)}"


class ConfigProblems(ConfigError):
    """All errors of a config at once, in the order of their places; `str()` is the whole listing."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=_place))
        count = len(self.problems)
        lines = [f"{count} error{'s' * (count != 1)} in the config", *map(str, self.problems[:_MOST_SHOWN])]
        if count > _MOST_SHOWN:
            lines.append(f"... and {count - _MOST_SHOWN} more")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[ConfigProblems], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the values of a config stand; configs of equal values are equal wherever these are written."""

    origins: Mapping[KeyPath, Origin] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Places)

    __hash__ = None  # type: ignore[assignment]

    def refusal(self, path: KeyPath, message: str) -> ConfigError:
        """What to raise when a value does not serve: the message, with the value's place where somebody wrote it."""
        origin = self.origins.get(path)
        if origin is None or not (origin.line or origin.file.startswith("-")):
            return ConfigError(message)
        return ConfigProblems([Problem(origin, dotted(path), message)])


def dotted(path: KeyPath) -> str:
    """The path as users write it: flatten.k, input.include.0."""
    return ".".join(map(str, path))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'space'?` for the nearest known word, or "" when none is near."""
    near = get_close_matches(word[:80].lower(), [name.lower() for name in known], n=1, cutoff=0.51)
    if not near:
        return ""
    original = next(name for name in known if name.lower() == near[0])
    return f"; did you mean '{original}'?"


def _place(problem: Problem) -> tuple[bool, str, int, int, str, str, str]:
    origin = problem.origin
    return not origin.line, origin.file, origin.line, origin.column, origin.profile, problem.key, problem.message


def _pointed_at(origin: Origin) -> str:
    """Two further lines: the source, and a caret under the place."""
    if not origin.text.strip():
        return ""
    flag = "" if origin.line else f"{origin.file} "
    line, column = f"{flag}{origin.text}", len(flag) + origin.column - 1
    if len(line) > _WIDEST:
        start = max(0, column - _WIDEST // 2)
        line, column = line[start : start + _WIDEST], column - start
    line = _printable(line)
    margin = "".join("\t" if char == "\t" else " " for char in line[:column])
    return f"\n    {line}\n    {margin}^"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else "?" for char in text)
