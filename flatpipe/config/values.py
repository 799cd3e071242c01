"""Values that a config may write in more than one way, as one: ks, sizes, shares, colours."""

from __future__ import annotations

import re
from typing import Any

from flatpipe.quantize.options import MAX_K

_K_PART = re.compile(r"\s*(\d{1,4})\s*(?:(?:-|\.\.)\s*(\d{1,4})\s*)?")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")


def parse_k(value: Any) -> tuple[int, ...]:
    """Sorted numbers of colours from 8, [2, 4, 8], {min: 2, max: 15}, or the text "2-15" or "2,4,8".

    Raises ValueError that says what is allowed.
    """
    if isinstance(value, bool) or value is None:
        raise ValueError(_K_ALLOWED)
    if isinstance(value, int):
        ks = [value]
    elif isinstance(value, str):
        ks = _ks_of_text(value)
    elif isinstance(value, dict):
        ks = _ks_of_range(value)
    elif isinstance(value, (list, tuple)):
        ks = [k for part in value for k in parse_k(part)]
    else:
        raise ValueError(_K_ALLOWED)  # noqa: TRY004 - pydantic reports ValueErrors
    if not ks:
        raise ValueError(f"names no k; {_K_ALLOWED}")
    outside = [k for k in ks if not 1 <= k <= MAX_K]
    if outside:
        raise ValueError(f"{outside[0]} is out of range; k is from 1 to {MAX_K}")
    return tuple(sorted(set(ks)))


_K_ALLOWED = f"must be a number, a list of numbers, or {{min: 2, max: 15}}, from 1 to {MAX_K}"


def _ks_of_text(text: str) -> list[int]:
    ks: list[int] = []
    for part in text.split(","):
        found = _K_PART.fullmatch(part)
        if found is None:
            raise ValueError(f"'{text}' is no number of colours; {_K_ALLOWED}")
        first, last = int(found[1]), int(found[2] or found[1])
        if first > last:
            raise ValueError(f"'{text}' runs backwards: {first} is above {last}")
        ks += range(first, last + 1)
    return ks


def _ks_of_range(limits: dict[str, Any]) -> list[int]:
    unknown = sorted(set(map(str, limits)) - {"min", "max"})
    if unknown:
        raise ValueError(f"'{unknown[0]}' is no part of a range; {_K_ALLOWED}")
    least, most = limits.get("min", 2), limits.get("max", 15)
    for limit in (least, most):
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise ValueError(f"min and max must be whole numbers; {_K_ALLOWED}")  # noqa: TRY004
        if not 1 <= limit <= MAX_K:
            raise ValueError(f"{limit} is out of range; k is from 1 to {MAX_K}")
    if least > most:
        raise ValueError(f"min ({least}) is above max ({most})")
    return list(range(least, most + 1))


def parse_alpha(value: Any) -> str:
    """ "keep", or a background colour "#rrggbb" in lower case; raises ValueError."""
    if value is None:
        raise ValueError('must be keep or a colour such as "#ffffff"; quote the colour, or YAML takes # for a comment')
    if isinstance(value, str) and (value == "keep" or _COLOR.fullmatch(value)):
        return value.lower()
    raise ValueError('must be keep or a background colour such as "#ffffff"')


def parse_failures(value: Any) -> int | float | None:
    """A number of images, a share of them as a float of 0..1, or None for no limit; raises ValueError."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None or float(found[1]) > 100:
        raise ValueError("must be null, a number of images, or a share such as 5%")
    return float(found[1]) / 100


def parse_workers(value: Any) -> int | str:
    """ "auto", or a number of workers; raises ValueError."""
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 4096):
        return value  # type: ignore[no-any-return]
    raise ValueError("must be auto or a number from 1 to 4096")
