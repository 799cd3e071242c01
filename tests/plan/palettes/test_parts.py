"""How a group's images are cut into parts, and the parts added up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flatpipe.plan.palettes.parts import Part, Parts, root_of, sums_of

IDS = st.lists(st.text("abcdef0123456789/", min_size=1, max_size=12), min_size=1, max_size=400, unique=True).map(sorted)
SIZES = st.sampled_from([100, 30_000, 700_000, 20_000_000])


def parts_of(image_ids: list[str], size: int) -> list[Part]:
    """The parts of images that hold what their ids say."""
    cut, parts = Parts("how"), []
    for number, image_id in enumerate(image_ids, 1):
        if part := cut.add(number, image_id, size, image_id):
            parts.append(part)
    return parts + ([last] if (last := cut.end()) else [])


def keyed(parts: list[Part]) -> list[tuple[str, int]]:
    """Keys and heights."""
    return [(part.key, part.height) for part in parts]


@given(IDS, SIZES)
def test_every_image_is_in_one_part(image_ids: list[str], size: int) -> None:
    """Parts follow one another without a gap, and count all images."""
    parts = parts_of(image_ids, size)
    assert [number for part in parts for number in range(part.first, part.last + 1)] == [*range(1, len(image_ids) + 1)]
    assert sum(part.images for part in parts) == len(image_ids)


@given(IDS, SIZES, st.data())
def test_one_image_more_changes_its_part_alone(image_ids: list[str], size: int, data: st.DataObject) -> None:
    """Without one of the images all parts are as they were, but for the one that it was in and the next."""
    missing = data.draw(st.sampled_from(image_ids))
    before = {part.key for part in parts_of(image_ids, size)}
    after = {part.key for part in parts_of([one for one in image_ids if one != missing], size)}
    assert len(after - before) <= 1
    assert len(before - after) <= 2


@given(IDS, SIZES)
def test_the_tree_adds_every_part_up_once(image_ids: list[str], size: int) -> None:
    """Below the root stands each part, once, however high the tree is."""
    parts = keyed(parts_of(image_ids, size))
    below = {one.key: one.parts for floor in sums_of(parts) for one in floor}

    def leaves(key: str) -> list[str]:
        return [leaf for part in below[key] for leaf in leaves(part)] if key in below else [key]

    assert leaves(root_of(parts)) == [key for key, _ in parts]


def test_photographs_and_thumbnails_are_cut_into_parts_of_a_few_megabytes() -> None:
    """A part has some photographs, one that is very large, or scores of thumbnails; a sum about 16 parts."""
    names = [f"{number:05d}.jpg" for number in range(20_000)]
    photographs, thumbnails = parts_of(names, 700_000), parts_of(names, 5_000)
    assert 4 < 20_000 / len(photographs) < 8
    assert 50 < 20_000 / len(thumbnails) < 80
    assert len(parts_of(names[:100], 20_000_000)) == 100
    floor = next(sums_of(keyed(photographs)))
    assert 12 < len(photographs) / len(floor) < 22


def test_a_content_that_is_not_known_leaves_its_part_without_a_key() -> None:
    """The part of an image that is new has no key until it is counted."""
    cut = Parts("how")
    assert cut.add(1, "b.png", 1, "content") is None
    assert cut.add(2, "c.png", 1, "") is None
    part = cut.end()
    assert part is not None
    assert part.key == ""
    assert root_of([]) == ""
