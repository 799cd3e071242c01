"""Words for people: names that any terminal or spreadsheet shows, counts, sizes and durations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

_NEAR = 0.75
# ^ likeness of two names, 0..1, from which on one is taken for the other mistyped
_DIGITS = re.compile(r"\d")


def printable(text: str) -> str:
    """Text that any terminal shows on one line: control characters and undecodable bytes are escaped."""
    if text.isascii() and text.isprintable():
        return text
        # ^ most names; taking a million of them apart takes seconds
    visible = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return visible.encode("utf-8", "backslashreplace").decode()


def printable_lines(text: str) -> str:
    """The same for text of several lines: each ends where it did, and tabs stay."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# ^ OWASP, "CSV Injection": a spreadsheet runs a cell that begins so, the wide signs of East Asian keyboards included


def cell(text: str) -> str:
    """Text that a spreadsheet shows and does not run: behind a ' where it begins like a formula, or with a ' itself.

    So a reader has the text again when it drops one ' from the front of a cell that has one.
    """
    return f"'{text}" if text.startswith(("'", *_BEGINS_FORMULA)) else text


def uncell(text: str) -> str:
    """The text that `cell` made a cell of; other cells as they are."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(("'", *_BEGINS_FORMULA)) else text


def counted(number: int, noun: str) -> str:
    """`1 image`, `2 images`, `1,000 images`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def figure(number: float) -> str:
    """A number that a person reads, positive: `0.31`, `4.5`, `31`, `1,240`."""
    return f"{number:.2g}" if number < 1 else f"{number:.1f}" if number < 10 else f"{number:,.0f}"


def spans(numbers: Iterable[int], digits: int = 1) -> str:
    """Whole numbers, ascending: `2-8, 12`; of two neighbours both are named. Each has so many digits at least."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    written = [[f"{number:0{digits}d}" for number in run] for run in runs]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(run) for run in written)


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The file name or path that was surely meant, by its last part without suffix; None when none is near.

    Names that differ in their digits alone, such as those of a camera, are not near: each is as good as the next.
    """
    stems: dict[str, str] = {}
    for name in names:
        stems.setdefault(_stem(name), name)
    found = get_close_matches(_stem(word), stems, n=3, cutoff=_NEAR)
    near = (stem for stem in found if stem == _stem(word) or _DIGITS.sub("", stem) != _DIGITS.sub("", _stem(word)))
    return stems.get(next(near, ""))


def _stem(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0].lower()


def in_bytes(size: int) -> str:
    """A size that a person reads: `812 bytes`, `3.4 MB` (powers of 1000)."""
    if size < 1000:
        return counted(size, "byte")
    number = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        number /= 1000
        if number < 999.5:
            return f"{number:.3g} {unit}"
    return f"{number / 1000:.3g} PB"


def duration(seconds: float) -> str:
    """Seconds in words that a person reads: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 36 else f"{hours // 24} d {hours % 24} h"
