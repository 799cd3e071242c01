"""Unquoted words of YAML as values, by the core rules of YAML 1.2; `${NAME}` in texts as the environment has it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE, _FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_INT = re.compile(rf"[-+]?{_DIGITS}|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(rf"[-+]?(?:\.{_DIGITS}|{_DIGITS}(?:\.(?:{_DIGITS})?)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST_NUMBER = 300
# ^ characters: whatever is longer is no number that a config could want

_VARIABLE = re.compile(r"\$(\$)?\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_scalar(text: str) -> Any:
    """The value of an unquoted YAML scalar: None, bool, int, float or the text itself.

    As YAML 1.2 has it: `no` and `on` are words, `1e-3` is a number, `010` is ten, `12:30` is a text.
    Beyond it, digits may be grouped: 200_000_000. A float without a fraction part, such as 1e3, is an int.
    """
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return bool(_TRUE.fullmatch(text))
    if len(text) > _LONGEST_NUMBER:
        return text
    plain = text.replace("_", "")
    if _INT.fullmatch(text):
        return int(plain, 0) if plain[:2] in ("0o", "0x") else int(plain)
    if _FLOAT.fullmatch(text):
        number = float(plain)
        return int(number) if "." not in plain and number.is_integer() else number
    return float(plain.replace(".", "", 1)) if _INFINITE.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its `${NAME}` replaced; `unset` names the variables that the environment has not."""

    text: str
    unset: tuple[str, ...] = ()
    changed: bool = False
    # ^ True when a variable was put in


def fill_variables(text: str) -> Filled:
    """The text with each `${NAME}` replaced from the environment; `$${NAME}` stands for `${NAME}` itself."""
    unset: list[str] = []

    def value_of(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        if found[2] not in os.environ:
            unset.append(found[2])
        return os.environ.get(found[2], found[0])

    filled = _VARIABLE.sub(value_of, text)
    changed = any(not found[1] and found[2] in os.environ for found in _VARIABLE.finditer(text))
    return Filled(filled, tuple(unset), changed)


def escape_variables(text: str) -> str:
    """The text as it must be written so that nothing in it is taken for a variable."""
    return re.sub(r"\$(?=\{[A-Za-z_][A-Za-z0-9_]*\})", "$$", text)
