"""Words for people: sizes and durations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flatpipe.text import duration, in_bytes

PACKAGE = Path(__file__).parent.parent / "flatpipe"
EXACT = {"cli/sentences.py", "decode/pillow_guard.py"}
# ^ where the very number of bytes is the point: what explain tells of a file, and where a file ends too early


@pytest.mark.parametrize(("size", "words"), [
    (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1 kB"), (1234, "1.23 kB"), (999_499, "999 kB"),
    (999_500, "1 MB"), (3_400_000, "3.4 MB"), (999_600, "1 MB"), (12_345_678_901, "12.3 GB"),
    (1_234 * 10**9, "1.23 TB"), (5 * 10**15, "5 PB"),
], ids=str)  # fmt: skip
def test_sizes_have_three_digits_and_their_unit(size: int, words: str) -> None:
    """A size is told in powers of 1000, in the unit that leaves one to three digits before the point."""
    assert in_bytes(size) == words


@pytest.mark.parametrize(("seconds", "words"), [
    (0, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (12_000, "3 h 20 min"), (187_200, "2 d 4 h"),
])  # fmt: skip
def test_durations_are_short_words(seconds: float, words: str) -> None:
    """A duration is told in at most two units."""
    assert duration(seconds) == words


def test_no_module_formats_sizes_of_its_own() -> None:
    """Sizes for people come from text.in_bytes; numbers of bytes are written out only where they must be exact."""
    written = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\{[^{}]*\}\s?(bytes|kB|KB|KiB|MB|MiB|GB|GiB)\b", path.read_text(encoding="utf-8"))
    }
    assert written == EXACT
