"""Values that can be written in several ways, and YAML's scalars."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.config import parse_k
from flatpipe.config.scalars import read_scalar
from flatpipe.config.values import (
    ValueRefused,
    parse_bytes,
    parse_failures,
    parse_k_or_auto,
    parse_seconds,
    parse_target,
    shown_share,
)

SOME_KS = st.lists(st.integers(1, 256), min_size=1, max_size=20)


@pytest.mark.parametrize(("value", "ks"), [
    (8, (8,)),
    ([4, 2, 4], (2, 4)),
    ({"min": 3, "max": 5}, (3, 4, 5)),
    ({"max": 3}, (2, 3)),
    ({"min": 14}, (14, 15)),
    ({}, tuple(range(2, 16))),
    ("2-5", (2, 3, 4, 5)),
    (" 2 .. 4 ", (2, 3, 4)),
    ("2,4,8-9", (2, 4, 8, 9)),
    (["2-3", 9], (2, 3, 9)),
    ("256", (256,)),
])  # fmt: skip
def test_k_is_written_in_many_ways(value: Any, ks: tuple[int, ...]) -> None:
    """A number, a list, a range, and the command line's text all mean a sorted tuple of distinct numbers."""
    assert parse_k(value) == ks


@given(SOME_KS)
def test_k_means_the_same_however_it_is_written(ks: list[int]) -> None:
    """A list of ks and its text agree, and reading what was read changes nothing."""
    expected = tuple(sorted(set(ks)))

    assert parse_k(ks) == parse_k(",".join(map(str, ks))) == parse_k(expected) == expected


@given(st.integers(1, 256), st.integers(1, 256))
def test_a_range_of_k_is_the_same_in_text_and_mapping(one: int, other: int) -> None:
    """ "2-5" is {min: 2, max: 5}: every k from the lower to the upper, both included."""
    least, most = sorted((one, other))

    assert parse_k(f"{least}-{most}") == parse_k({"min": least, "max": most}) == tuple(range(least, most + 1))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
                    max_leaves=5))  # fmt: skip
def test_any_other_value_is_refused_in_words(value: Any) -> None:
    """Whatever is given, the answer is ks from 1 to 256 or a ValueRefused with a message."""
    try:
        ks = parse_k(value)
    except ValueRefused as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert ks
        assert all(1 <= k <= 256 for k in ks)


@pytest.mark.parametrize(("text", "size"), [
    ("4 GiB", 2**32), ("4GB", 4 * 10**9), ("500 mb", 500 * 10**6), (" 1.5 TiB ", 3 * 2**39), (2**30, 2**30),
])  # fmt: skip
def test_sizes_have_units(text: str | int, size: int) -> None:
    """A size is a number of bytes, or a text with a decimal or a binary unit."""
    assert parse_bytes(text) == size


@pytest.mark.parametrize(("text", "seconds"), [
    ("90s", 90), ("10min", 600), ("1.5 h", 5400), ("200ms", 0.2), ("2d", 172_800), (7, 7), (0.5, 0.5),
])  # fmt: skip
def test_durations_have_units(text: str | float, seconds: float) -> None:
    """A duration is a number of seconds, or a text with a unit as Dask writes it."""
    assert parse_seconds(text) == seconds


@given(st.integers(0, 10_000).map(lambda hundredths: f"{hundredths / 100:g}%"))
def test_a_share_is_written_as_it_was_read(text: str) -> None:
    """5% is 0.05 within and 5% again when it is shown."""
    share = parse_failures(text)

    assert isinstance(share, float)
    assert shown_share(share) == text
    assert parse_failures(shown_share(share)) == share


@pytest.mark.parametrize(("text", "value"), [
    ("", None), ("~", None), ("null", None), ("NULL", None), ("nUll", "nUll"),
    ("true", True), ("False", False), ("no", "no"), ("On", "On"), ("y", "y"),
    ("0", 0), ("-17", -17), ("+5", 5), ("010", 10), ("0o17", 15), ("0xFf", 255), ("0b1", "0b1"),
    ("200_000_000", 200_000_000), ("_1", "_1"), ("1_", "1_"), ("1__0", "1__0"),
    ("1e3", 1000), ("1e-3", 0.001), ("1.0", 1.0), (".5", 0.5), ("5.", 5.0), ("1.5e3", 1500.0), ("1_000.25", 1000.25),
    (".inf", math.inf), ("-.INF", -math.inf), ("inf", "inf"), ("1e400", math.inf),
    ("12:30:00", "12:30:00"), ("2024-01-02", "2024-01-02"), ("1.2.3", "1.2.3"), ("-", "-"), (".", "."), ("0x", "0x"),
    ("=", "="), ("9" * 400, "9" * 400), ("e5", "e5"), ("１", "１"),
])  # fmt: skip
def test_scalars_are_those_of_yaml_12(text: str, value: Any) -> None:
    """Unquoted words mean what the core schema of YAML 1.2 says, with digits that may be grouped."""
    read = read_scalar(text)

    assert (read, type(read)) == (value, type(value))


def test_not_a_number_is_a_number_to_yaml() -> None:
    """`.nan` is a float, so that ranges can refuse it."""
    assert math.isnan(read_scalar(".nan"))


@pytest.mark.parametrize(("text", "expected"), [
    ("auto", "auto"), (" auto ", "auto"), ("auto:knee", "auto:knee"), ("auto: psnr >= 30", "auto:psnr>=30"),
    ("auto:psnr>=30.50", "auto:psnr>=30.5"), ("2-4", (2, 3, 4)), (8, (8,)),
])  # fmt: skip
def test_k_may_be_auto_with_its_target(text: Any, expected: object) -> None:
    """Spaces and zeros do not matter, reading what was read changes nothing, and plain k stay what they are."""
    assert parse_k_or_auto(text) == expected
    assert parse_k_or_auto(expected) == expected


@pytest.mark.parametrize("text", ["auto:", "auto:psnr>30", "automatic", "auto,2", "auto:psnr>=-1", "auto:psnr>=9999"])
def test_no_other_target_is_taken(text: str) -> None:
    """What is no target of ours is refused, with the words that are allowed."""
    with pytest.raises(ValueRefused, match="psnr>=30"):
        parse_k_or_auto(text)
    with pytest.raises(ValueRefused, match="knee, or the least PSNR"):
        parse_target(text.partition(":")[2])
