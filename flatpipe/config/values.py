"""Values that a config may write in more than one way, as one: ks, sizes, durations, shares, colours."""

from __future__ import annotations

import re
from typing import Any

from flatpipe.config.problems import did_you_mean
from flatpipe.quantize.options import MAX_K

_K_PART = re.compile(r"\s*(\d{1,9})\s*(?:(?:-|\.\.)\s*(\d{1,9})\s*)?")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SHARE = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*%\s*")
_AMOUNT = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([a-zA-Z]*)\s*")

_BYTES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_BYTES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SECONDS = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0, "d": 86400.0}
MOST_WORKERS = 4096
ALL = "all"
# ^ of the colours of a chart
_LEAST_MEMORY = 64 * 2**20
# ^ bytes: a worker with its libraries needs more; whoever writes 4 means 4 GiB

K_ALLOWED = (
    f"k is a number, a list of numbers, {{min, max}}, a text such as 2-15 or 2,4,8, each from 1 to {MAX_K}; "
    f"auto; or {ALL}"
)
TARGET_PATTERN = r"(?:knee|psnr\s*>=\s*\d{1,3}(?:\.\d{1,6})?)"
# ^ also that of the JSON Schema
_AUTO = re.compile(rf"\s*auto\s*(?::\s*({TARGET_PATTERN})\s*)?")
_TARGET = re.compile(rf"\s*({TARGET_PATTERN})\s*")
_TARGET_ALLOWED = "knee, or the least PSNR in dB such as psnr>=30"


class ValueRefused(ValueError):
    """A value that a config may not have; `inner` is the path to the part that is wrong, within the value."""

    def __init__(self, message: str, *inner: str | int, of_key: bool = False) -> None:
        super().__init__(message)
        self.inner = inner
        self.of_key = of_key
        # ^ True when the key at `inner` is wrong, rather than its value


def parse_k_or_auto(value: Any) -> tuple[int, ...] | str:
    """As parse_k; or "auto", which may name its target: "auto:knee", "auto:psnr>=30"; or "all". Raises ValueRefused."""
    if isinstance(value, str) and value.strip() == ALL:
        return ALL
    if not isinstance(value, str) or not value.strip().startswith("auto"):
        return parse_k(value)
    found = _AUTO.fullmatch(value)
    if found is None:
        raise ValueRefused(f"{shown(value)} is no k; auto may be followed by a colon and {_TARGET_ALLOWED}")
    return f"auto:{parse_target(found[1])}" if found[1] else "auto"


def parse_target(value: Any) -> str:
    """ "knee", or a least PSNR in dB as "psnr>=30"; raises ValueRefused."""
    found = _TARGET.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueRefused(f"must be {_TARGET_ALLOWED}, not {shown(value)}{_near_word(value, 'knee')}")
    number = found[1].partition("=")[2]
    return f"psnr>={float(number):.12g}" if number else "knee"


def parse_k(value: Any) -> tuple[int, ...]:
    """Sorted numbers of colours from 8, [2, 4, 8], {min: 2, max: 15}, or the text "2-15" or "2,4,8".

    Raises ValueRefused (a ValueError) that says what is allowed.
    """
    if isinstance(value, dict):
        ks = _ks_of_range(value)
    elif isinstance(value, (list, tuple)):
        ks = [k for row, part in enumerate(value) for k in _ks_of_part(part, row)]
    else:
        ks = _ks_of_part(value)
    if not ks:
        raise ValueRefused(f"names no k; {K_ALLOWED}")
    return tuple(sorted(set(ks)))


def _ks_of_part(value: Any, *inner: str | int) -> list[int]:
    if isinstance(value, str):
        return [k for part in value.split(",") for k in _ks_of_text(part, inner)]
    return [_checked_k(value, *inner)]


def _checked_k(value: Any, *inner: str | int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueRefused(f"{shown(value)} is no k; {K_ALLOWED}", *inner)
    if not 1 <= value <= MAX_K:
        raise ValueRefused(f"{shown(value)} is out of range; k is from 1 to {MAX_K}", *inner)
    return value


def _ks_of_text(text: str, inner: tuple[str | int, ...]) -> list[int]:
    found = _K_PART.fullmatch(text)
    if text.strip().startswith("auto"):
        raise ValueRefused("auto stands alone, for every k from 2 to flatten.auto.max", *inner)
    if found is None:
        raise ValueRefused(f"{shown(text)} is no k; {K_ALLOWED}{_near_word(text, 'auto')}", *inner)
    first, last = (_checked_k(int(number), *inner) for number in (found[1], found[2] or found[1]))
    if first > last:
        raise ValueRefused(f"{shown(text.strip())} runs backwards: {first} is above {last}", *inner)
    return list(range(first, last + 1))


def _ks_of_range(limits: dict[str, Any]) -> list[int]:
    for unknown in [name for name in limits if name not in ("min", "max")]:
        hint = did_you_mean(str(unknown), ("min", "max"))
        raise ValueRefused(f"unknown key{hint or ';'} a range has min and max", unknown, of_key=True)
    least, most = _checked_k(limits.get("min", 2), "min"), _checked_k(limits.get("max", 15), "max")
    if least > most:
        raise ValueRefused(f"the range is empty: min ({least}) is above max ({most})")
    return list(range(least, most + 1))


def parse_alpha(value: Any) -> str:
    """ "keep", or a background colour "#rrggbb" in lower case; raises ValueRefused."""
    if isinstance(value, str) and (value == "keep" or _COLOR.fullmatch(value)):
        return value.lower()
    allowed = 'must be keep, or a background colour such as "#ffffff"'
    if value is None:
        raise ValueRefused(f"{allowed}; YAML takes a # for a comment: write the colour in quotes")
    if isinstance(value, str) and re.fullmatch(r"#?[0-9a-fA-F]{3,8}", value):
        raise ValueRefused(f"{allowed}, not {shown(value)}: a # and six digits, in quotes")
    raise ValueRefused(f"{allowed}, not {shown(value)}{_near_word(value, 'keep')}")


def parse_failures(value: Any) -> int | float | None:
    """A number of images, a share of them as a float of 0..1, or None for no limit; raises ValueRefused."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None or float(found[1]) > 100:
        share = isinstance(value, float) and 0 < value < 1
        hint = f"; did you mean {value * 100:.12g}%?" if share else _unquoted(value)
        raise ValueRefused(f"must be a number of images, a share from 0% to 100%, or null, not {shown(value)}{hint}")
    return float(found[1]) / 100


def parse_workers(value: Any) -> int | str:
    """ "auto", or a number of workers; raises ValueRefused."""
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_WORKERS):
        return value  # type: ignore[no-any-return]
    hint = _near_word(value, "auto") or _unquoted(value)
    raise ValueRefused(f"must be auto, or a number from 1 to {MOST_WORKERS}, not {shown(value)}{hint}")


def parse_bytes(value: Any) -> int:
    """Bytes from a number of them or a text such as "4 GiB" or "500 MB"; raises ValueRefused below 64 MiB."""
    found = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif found and found[2].lower() in _BYTES:
        size = int(float(found[1]) * _BYTES[found[2].lower()])
    else:
        words = 'must be a size such as "4 GiB" or "500 MB", a number of bytes, or null'
        raise ValueRefused(f"{words}, not {shown(value)}{_unquoted(value)}")
    if size < _LEAST_MEMORY:
        unit = "GiB" if size < 512 else "MiB"
        hint = f'; did you mean "{size} {unit}"?' if found is None and size > 0 else ""
        raise ValueRefused(f"{shown(value)} is too little: at least 64 MiB{hint}")
    return size


def parse_seconds(value: Any) -> float:
    """Seconds from a number of them or a text such as "90s", "10min" or "1.5 h"; raises ValueRefused."""
    found = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    if found and found[2] in _SECONDS and float(found[1]) > 0:
        return float(found[1]) * _SECONDS[found[2]]
    raise ValueRefused(
        f"must be a time above zero such as 90s, 10min or 2h, or a number of seconds, not {shown(value)}"
    )


def _near_word(value: Any, word: str) -> str:
    """`; did you mean 'auto'?` for a text that is nearly the word."""
    return did_you_mean(value, (word,)) if isinstance(value, str) else ""


def _unquoted(value: Any) -> str:
    return "; without quotes it is one" if isinstance(value, str) and re.fullmatch(r"\d+", value) else ""


def shown(value: Any) -> str:
    """The value as an error message tells it: 5, true, null, 'word', a list, a mapping."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (dict, list, tuple)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def shown_share(share: int | float | None) -> int | str | None:
    """max_failures as a config writes it: 0.05 is "5%"."""
    return f"{share * 100:.12g}%" if isinstance(share, float) else share
