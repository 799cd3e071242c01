"""Where outputs go."""

from __future__ import annotations

import os

from hypothesis import example, given
from hypothesis import strategies as st

from flatpipe import layout

IDS = st.lists(st.text(min_size=0, max_size=300), min_size=1, max_size=4).map("/".join)


def test_names_sort_as_numbers_do() -> None:
    """k is padded to the widest k, and to two digits at least."""
    assert [layout.flat_name(k, layout.name_width([2, 15])) for k in (2, 15)] == ["k02.png", "k15.png"]
    assert [layout.flat_name(k, layout.name_width([2, 256])) for k in (2, 256)] == ["k002.png", "k256.png"]


def test_the_widest_k_is_the_first_with_most_digits() -> None:
    """Of k to 15 it is 10, whatever the larger ones are; of none there is none."""
    assert [layout.widest_k(ks) for ks in (range(2, 16), (7, 2), (99, 256, 100), ())] == [10, 7, 256, 0]


def test_the_extension_stays_in_the_folder_name() -> None:
    """a.jpg and a.png have folders of their own."""
    assert layout.image_folder("trips/a.jpg") == "images/trips/a.jpg"
    assert layout.image_folder("trips/a.png") == "images/trips/a.png"


@given(IDS)
@example("..")
@example("../../etc/passwd")
@example("a//b")
@example("0\0000")
@example("x" * 300 + ".png")
@example("\udcff" * 200)
def test_outputs_stay_under_images_in_parts_that_any_file_system_takes(image_id: str) -> None:
    """Whatever an id says, its folder has no `..`, no empty part, no NUL, and no part over 255 bytes."""
    try:
        parts = layout.image_folder(image_id).split("/")
    except UnicodeEncodeError:
        # lone surrogates that no file system can give
        return

    assert parts[0] == "images"
    assert not {"", ".", ".."} & set(parts)
    assert all(len(os.fsencode(part)) <= 255 and "\0" not in part for part in parts)


@given(IDS, IDS)
@example("..", "~b6f3fe7ee24b")
def test_two_images_never_share_a_folder(one: str, other: str) -> None:
    """Different ids have different folders."""
    try:
        folders = {layout.image_folder(one), layout.image_folder(other)}
    except UnicodeEncodeError:
        return

    assert (len(folders) == 1) == (one == other)


def test_a_mark_tells_by_what_it_was_made() -> None:
    """An id with a mark is known by the text that made it, that of a frame too; without it is what it was."""
    marked = layout.marked("a/b.png", "https://host/b.png")

    assert layout.is_marked_by(marked, "https://host/b.png")
    assert layout.is_marked_by(f"{marked}#002", "https://host/b.png")
    assert not layout.is_marked_by(marked, "a/b.png")
    assert layout.unmarked(marked) == "a/b.png"
