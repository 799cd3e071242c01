"""Words for people: names, sizes and durations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.text import cell, duration, figure, in_bytes, nearest, printable, printable_lines, spans

PACKAGE = Path(__file__).parent.parent / "flatpipe"
EXACT = {
    "cli/sentences/telling.py",
    "decode/pillow_guard.py",
    "engines/room.py",
    "palettes/readers/tables.py",
    "quantize/shared/stored_table.py",
    "storage/archives/zip.py",
    "storage/asked.py",
}
# ^ where the very number is the point: what explain tells of a file, where a file ends too early, a size that
#   lies, a stamp, and what to write into a config


@pytest.mark.parametrize(("size", "words"), [
    (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1 kB"), (1234, "1.23 kB"), (999_499, "999 kB"),
    (999_500, "1 MB"), (3_400_000, "3.4 MB"), (999_600, "1 MB"), (12_345_678_901, "12.3 GB"),
    (1_234 * 10**9, "1.23 TB"), (5 * 10**15, "5 PB"),
], ids=str)  # fmt: skip
def test_sizes_have_three_digits_and_their_unit(size: int, words: str) -> None:
    """A size is told in powers of 1000, in the unit that leaves one to three digits before the point."""
    assert in_bytes(size) == words


@given(st.text())
def test_a_terminal_gets_no_control_character(text: str) -> None:
    """One line has nothing but characters to be seen; several keep their ends and tabs, and doing it twice is once."""
    line, lines = printable(text), printable_lines(text)

    assert line.isprintable()
    assert all(char.isprintable() or char in "\n\t" for char in lines)
    assert lines.count("\n") == text.count("\n")
    assert (printable(line), printable_lines(lines)) == (line, lines)
    if text.isprintable():
        assert line == text


@given(st.text() | st.text("=+-@\t\r\n'＝a", max_size=3))
def test_a_spreadsheet_runs_no_cell_and_a_reader_has_the_text(text: str) -> None:
    """No cell begins like a formula, other texts stay as they are, and less one ' each is the text that it was."""
    shown = cell(text)

    assert not shown.startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert shown.removeprefix("'") == text
    assert shown == text or text.startswith(tuple("'=+-@\t\r\n＝＋－＠"))


@pytest.mark.parametrize(("seconds", "words"), [
    (0, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (12_000, "3 h 20 min"), (187_200, "2 d 4 h"),
])  # fmt: skip
def test_durations_are_short_words(seconds: float, words: str) -> None:
    """A duration is told in at most two units."""
    assert duration(seconds) == words


@pytest.mark.parametrize(("number", "words"), [
    (0.0123, "0.012"), (0.314, "0.31"), (0.999, "1"), (1.25, "1.2"), (9.94, "9.9"), (31.4, "31"), (1240.7, "1,241"),
])  # fmt: skip
def test_figures_have_two_digits_or_no_fraction(number: float, words: str) -> None:
    """A rate is told as exactly as anybody can use it."""
    assert figure(number) == words


@given(st.sets(st.integers(1, 40), max_size=20).map(sorted))
def test_spans_name_the_same_numbers(numbers: list[int]) -> None:
    """Read back, the spans are the numbers; three and more neighbours are one span."""
    read = [number for part in spans(numbers).split(", ") if part for number in _span(part)]

    assert read == numbers
    assert spans([2, 3]) == "2, 3"
    assert spans([2, 3, 4, 7]) == "2-4, 7"


@pytest.mark.parametrize(("word", "names", "near"), [
    ("statsu", ["status", "plan"], "status"),
    ("turned.png", ["trips/turned.jpg", "other.jpg"], "trips/turned.jpg"),
    ("Pipelin.yaml", ["pipeline.yaml"], "pipeline.yaml"),
    ("IMG_9999.jpg", ["IMG_9998.jpg", "IMG_9990.jpg"], None),
    ("a.yaml", ["b.yaml"], None),
    ("x", [], None),
])  # fmt: skip
def test_only_a_name_that_is_near_is_proposed(word: str, names: list[str], near: str | None) -> None:
    """One mistyped is found whatever its folder, suffix and case; an equal suffix or another number is not near."""
    assert nearest(word, names) == near


def _span(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


def test_no_module_formats_sizes_of_its_own() -> None:
    """Sizes for people come from text.in_bytes; numbers of bytes are written out only where they must be exact."""
    written = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\{[^{}]*\}\s?(bytes|kB|KB|KiB|MB|MiB|GB|GiB)\b", path.read_text(encoding="utf-8"))
    }
    assert written == EXACT
