"""What a ledger tells of shards: numbers, keys, and what is to be packed."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.packs.records import numbered_shards
from flatpipe.ledger.packs.rows import PackFile, SetAside
from flatpipe.records import ImageSource, PackedImage, PlannedImage, SettingsDigests

NAMES = st.lists(st.binary(min_size=1, max_size=3).map(os.fsdecode), unique=True, max_size=30)
DIGESTS = SettingsDigests((), "")


def planned(names: list[str], due: set[str]) -> Ledger:
    """A ledger in memory whose plan has these images, some of them due."""
    ledger = Ledger(None)
    ledger.store_plan(
        PlannedImage(ImageSource(name, f"/{name}", 1, ""), (2,) if name in due else (), sweep=False, reason="")
        for name in names
    )
    return ledger


@given(NAMES, st.data())
def test_keys_count_all_images_in_the_order_of_results(names: list[str], data: st.DataObject) -> None:
    """Whatever bytes names are of: a key is the place among all images of the plan, due or not, as tables have them."""
    due = set(data.draw(st.lists(st.sampled_from(names)))) if names else set()
    ledger = planned(names, due)
    order = [image.source.image_id for image in ledger.results(DIGESTS).images()]
    assert [(image.source.image_id, int(image.key)) for image in ledger.packs.work()] == [
        (name, number) for number, name in enumerate(order) if name in due
    ]
    assert [name for name, _ in ledger.packs.planned()] == order
    ledger.close()


def test_a_shard_set_aside_lets_go_of_images_that_are_gone() -> None:
    """The images of the plan are found in the piece, those that are gone nowhere, and the shard's name is free."""
    ledger = planned(["a", "b"], set())
    rows = [PackedImage(name, "shards/000000.tar", "000000", 0, 512, "") for name in ("a", "b", "gone")]
    (shard,) = numbered_shards(["a"])
    ledger.packs.record(shard, PackFile("shards/000000.tar", "digest", 99), rows)
    ledger.packs.set_aside(SetAside("shards/000000.tar", ".pieces/x.tar"))
    assert {name: one.file for name, one in ledger.packs.of(["a", "b", "gone"]).items()} == {
        "a": ".pieces/x.tar",
        "b": ".pieces/x.tar",
    }
    assert ledger.packs.files() == [PackFile(".pieces/x.tar", "digest", 99)]
    assert not ledger.packs.is_needed("shards/000000.tar")
    ledger.close()
