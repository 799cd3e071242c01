"""Ids of images that are named call after call: one id for each file, one file for each id, whatever the calls were."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatpipe.config import default_config
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.inputs.named import named_sources
from flatpipe.plan.settings import selection
from flatpipe.records import ImageSource, PlannedImage
from flatpipe.storage.litter import PassedOver
from flatpipe.storage.name_rules import EXACT, NameRules
from flatpipe.storage.several.named import NamedInput

FILES = ("a.png", "t/a.png", "t/t/a.png", "u/t/a.png", "u/b.png", "t/u/b.png", "z.png", "t/z.png", "t/t/z.png")
PLACES = (*FILES, ".", "t", "u", "t/t", "u/t", "t/u")
SHOUTED = ("T", "A/A.PNG", "A/a.png", "A/B.png", "T/Z.png")
# ^ beside them, for file systems that take these names for the others'


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Files of three names, in folders of one name too."""
    with tempfile.TemporaryDirectory() as name:
        for file in (*FILES, *SHOUTED[1:]):
            (Path(name) / file).parent.mkdir(parents=True, exist_ok=True)
            (Path(name) / file).write_bytes(b"x")
        yield Path(name)


def call(ledger: Ledger, folder: Path, places: list[str], number: int) -> dict[str, str]:
    """Id of each file that the places name, by its path, recorded as a run records them."""
    config = default_config(str(folder))
    named = NamedInput(tuple(sorted({str((folder / place).resolve()) for place in places})), selection(config))
    with ledger.transaction():
        ledger.begin_run(f"run {number}", "now", "{}", adds=True)
        found = list(named_sources(named, config, ledger, PassedOver()))
        images = [item for item in found if isinstance(item, ImageSource)]
        ledger.store_plan(PlannedImage(image, (2,), sweep=True, reason="new") for image in images)
    assert len(images) == len({image.path for image in images}) == len({image.image_id for image in images})
    return {image.path: image.image_id for image in images}


@given(
    st.lists(st.lists(st.sampled_from((*PLACES, *SHOUTED)), min_size=1, max_size=3), min_size=1, max_size=5),
    st.sampled_from([EXACT, NameRules(case=True)]),
)
@settings(max_examples=150)
def test_a_file_has_one_id_over_all_calls(folder: Path, calls: list[list[str]], rules: NameRules) -> None:
    """However files and folders are named over calls: a file keeps its first id, and no two files have one.

    Nor do they have two that the output's file system takes for one.
    """
    ledger, ids = Ledger(None), {}
    with patch("flatpipe.plan.inputs.named.rules_of", lambda _: rules):
        for number, places in enumerate(calls):
            for path, image_id in call(ledger, folder, places, number).items():
                assert ids.setdefault(path, image_id) == image_id
    ledger.close()

    assert len({rules.key(image_id) for image_id in ids.values()}) == len(ids)


@pytest.mark.parametrize(("calls", "expected"), [
    ([["t/t"], ["t/t/a.png"]], {"t/t/a.png": "a.png", "t/t/z.png": "z.png"}),
    ([["z.png"], ["t"]], {"z.png": "z.png", "t/z.png": None, "t/t/z.png": "t/z.png", "t/a.png": "a.png",
      "t/t/a.png": "t/a.png", "t/u/b.png": "u/b.png"}),
    ([["."], ["t/t"]], {file: file for file in (*FILES, *SHOUTED[1:])}),
    ([["t/a.png"], ["a.png"], ["u/t/a.png"]], {"t/a.png": "a.png", "a.png": None, "u/t/a.png": "t/a.png"}),
], ids=["folder-then-file", "a-name-that-comes-too", "all-then-folder", "one-by-one"])  # fmt: skip
def test_ids_are_the_plainest_that_are_free(
    calls: list[list[str]], expected: dict[str, str | None], folder: Path
) -> None:
    """The name below the place that was named first; where another file has it, folders before it, then a mark."""
    ledger, ids = Ledger(None), {}
    for number, places in enumerate(calls):
        ids |= call(ledger, folder, places, number)
    ledger.close()

    found = {str(Path(path).relative_to(folder.resolve())): image_id for path, image_id in ids.items()}
    assert found.keys() == expected.keys()
    assert {file: found[file] for file, image_id in expected.items() if image_id} == {
        file: image_id for file, image_id in expected.items() if image_id
    }
