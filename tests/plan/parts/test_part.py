"""Parts of a run: every image falls to exactly one, and a part is named in one way only."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.errors import ConfigError
from flatpipe.plan.parts.dealing import Dealing
from flatpipe.plan.parts.part import RunPart, index_of, parse_part, part_named
from flatpipe.records import Failure, ImageSource, RefusedFile

IDS = st.binary(min_size=1, max_size=20).map(os.fsdecode)
# ^ names of files, those included that are no UTF-8
COUNTS = st.integers(1, 40)


def _source(image_id: str) -> ImageSource:
    return ImageSource(image_id, f"/in/{image_id}", 1, "")


@given(st.lists(IDS, max_size=30, unique=True), COUNTS)
def test_every_image_belongs_to_exactly_one_part(image_ids: list[str], count: int) -> None:
    """Dealt to all parts, each image comes once, whether it will be opened or not; all parts see the same input."""
    sources = [
        RefusedFile(_source(name), Failure("discover", "unsupported", "")) if n % 3 == 0 else _source(name)
        for n, name in enumerate(image_ids)
    ]
    dealings = [Dealing(RunPart(count, index)) for index in range(count)]
    dealt = [item for dealing in dealings for item in dealing.own(sources)]

    assert sorted(map(repr, dealt)) == sorted(map(repr, sources))
    assert {dealing.listing for dealing in dealings} == {dealings[0].listing}
    assert {dealing.listed for dealing in dealings} == {len(sources)}


@given(IDS, st.integers(1, 9999), COUNTS)
def test_frames_of_a_file_fall_to_one_part(image_id: str, frame: int, count: int) -> None:
    """Whatever number a frame has, its part is that of the file: only one part opens it."""
    assert index_of(f"{image_id}#{frame:03d}", count) == index_of(image_id, count)


def test_parts_are_about_equal_and_for_ever_the_same() -> None:
    """Of 4,000 images each of eight parts gets 500, give or take 20 %; the deal is part of the format."""
    parts = [index_of(f"trips/{number}.jpg", 8) for number in range(4000)]

    assert all(400 < parts.count(index) < 600 for index in range(8))
    assert parts[:12] == [5, 0, 2, 2, 3, 1, 3, 0, 2, 0, 6, 0]


@given(COUNTS.flatmap(lambda count: st.tuples(st.just(count), st.integers(0, count - 1))))
def test_a_part_is_read_as_it_is_written(numbers: tuple[int, int]) -> None:
    """The words and the folder's name of a part lead back to it."""
    part = RunPart(*numbers)

    assert parse_part(str(part)) == part
    assert part_named(part.name) == part


@pytest.mark.parametrize(
    "text", ["8/8", "9/8", "0/0", "1/0", "-1/8", "1", "1/", "/8", "a/b", "1/8/2", "1/8 ", "١/٨", "0/10001", ""]
)
def test_what_is_no_part_is_refused_in_words(text: str) -> None:
    """A part that cannot be is an error that repeats what was asked and says what would do."""
    with pytest.raises(
        ConfigError, match=r"^--shard .*: (must be I/N|\d+ parts are numbered from 0|there can be 1 to)"
    ):
        parse_part(text)


@pytest.mark.parametrize("name", ["8-of-8", "01-of-8", "1-of-08", "1-of-8.tmp", "-of-8", "1of8", "0-of-0", ".partial"])
def test_other_folders_are_no_parts(name: str) -> None:
    """Only a folder that a part would make is taken for one."""
    assert part_named(name) is None
