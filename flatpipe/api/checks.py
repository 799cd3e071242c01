"""Arguments of the Python API, checked before anything is read; each refusal is one sentence."""

from __future__ import annotations

import operator
import re
from typing import Any, get_args

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import PaletteColor
from flatpipe.quantize.options import MAX_K, Solver, Space


def checked_k(k: object) -> int:
    """The k as a number; raises ConfigError where it is none, or none that a palette can have."""
    try:
        number = operator.index(k)  # type: ignore[arg-type]
    except TypeError as error:
        raise ConfigError(f"k must be a whole number: {error}") from None
    if not 1 <= number <= MAX_K:
        raise ConfigError(f"k must be from 1 to {MAX_K}, not {number}")
    return number


def check_choice(name: str, value: str, words: Any) -> None:
    """Raise ConfigError for a value that is none of the words of a Literal."""
    allowed = get_args(words)
    if value not in allowed:
        raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def check_search(seed: int, space: str, solver: str) -> None:
    """Raise ConfigError for what no search for colours takes."""
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed must be from 0 to {2**32 - 1}, not {seed!r}")
    check_choice("space", space, Space)
    check_choice("solver", solver, Solver)


def checked_color(color: str | PaletteColor) -> PaletteColor:
    """A colour that is given as "#rrggbb" or as a record; raises ConfigError for anything else."""
    if isinstance(color, PaletteColor):
        return color
    if not isinstance(color, str) or not re.fullmatch("#[0-9a-fA-F]{6}", color):
        raise ConfigError(f"a colour is '#rrggbb', or a PaletteColor of a palette, not {color!r}")
    return PaletteColor.of_hex(color)
