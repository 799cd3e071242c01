"""The forms of k: whatever way the same numbers are written, the same numbers are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.config import parse_config, parse_k
from flatpipe.config.scalars import read_scalar
from flatpipe.config.values import ValueRefused

KS = st.sets(st.integers(1, 256), min_size=1, max_size=12)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["min", "max", "x"]) | st.text(), inner)
    ),
    max_leaves=8,
)


@given(KS, st.randoms())
def test_lists_and_texts_of_numbers_come_back_sorted(ks: set[int], chance: st.DataObject) -> None:
    """A list or text of numbers in any order, with some of them twice, gives each number once, in order."""
    shuffled = [*ks, min(ks)]
    chance.shuffle(shuffled)

    assert parse_k(shuffled) == tuple(sorted(ks))
    assert parse_k(", ".join(map(str, shuffled))) == tuple(sorted(ks))
    assert parse_k([str(k) for k in shuffled]) == tuple(sorted(ks))


@given(st.integers(1, 256), st.integers(1, 256))
def test_ranges_in_every_form_mean_the_same(one: int, other: int) -> None:
    """{min, max}, "2-15" and "2..15" give the same numbers, both ends within."""
    least, most = sorted((one, other))
    expected = tuple(range(least, most + 1))

    for form in ({"min": least, "max": most}, f"{least}-{most}", f" {least} .. {most} ", [f"{least}-{most}"]):
        assert parse_k(form) == expected


@given(KS)
def test_what_was_parsed_parses_to_itself(ks: set[int]) -> None:
    """The numbers that parse_k gives are a form of k themselves, through a config file too."""
    parsed = parse_k(sorted(ks))

    assert parse_k(parsed) == parsed
    loaded = parse_config(f"input: {{path: a}}\nflatten: {{k: {list(parsed)}}}\n", "c.yaml", "/folder")
    assert loaded.config.flatten.k == parsed


@given(ANYTHING)
def test_anything_is_numbers_from_1_to_256_or_refused(value: object) -> None:
    """parse_k gives sorted numbers from 1 to 256, each once, or raises ValueRefused; never another error."""
    try:
        ks = parse_k(value)
    except ValueRefused:
        return
    assert ks == tuple(sorted(set(ks)))
    assert 1 <= ks[0] <= ks[-1] <= 256


def test_one_end_of_a_range_may_be_left_out() -> None:
    """A range without min begins at 2, one without max ends at 15."""
    assert parse_k({"max": 4}) == (2, 3, 4)
    assert parse_k({"min": 13}) == (13, 14, 15)
    assert parse_k({}) == tuple(range(2, 16))


@pytest.mark.parametrize(("written", "value"), [
    ("200_000_000", 200_000_000), ("1e-3", 0.001), ("1e3", 1000), ("1.5e3", 1500.0), ("010", 10), ("0x1f", 31),
    ("0o17", 15), ("-5", -5), ("+5", 5), (".5", 0.5), ("1__0", "1__0"), ("_1", "_1"), ("1_", "1_"), ("0b11", "0b11"),
    ("no", "no"), ("On", "On"), ("y", "y"), ("TRUE", True), ("~", None), ("", None), ("12:30", "12:30"),
    ("2024-01-02", "2024-01-02"), ("1,000", "1,000"), ("9" * 301, "9" * 301),
])  # fmt: skip
def test_unquoted_words_are_read_as_yaml_1_2_has_them(written: str, value: object) -> None:
    """Numbers, booleans and null are those of YAML 1.2, with grouped digits; anything else is a text."""
    assert read_scalar(written) == value
    assert type(read_scalar(written)) is type(value)
