"""Images whose names the output's file system takes for one are told apart, always in the same way."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import write_image
from hypothesis import given
from hypothesis import strategies as st

from flatpipe import layout
from flatpipe.config import Config, load_config
from flatpipe.errors import ConfigError
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.inputs.alike import told_apart_by
from flatpipe.plan.inputs.sources import input_sources
from flatpipe.plan.request import Request, selector
from flatpipe.proof.listed_input import ListedInput
from flatpipe.records import Failure, ImageSource, RefusedFile
from flatpipe.storage.local import LocalRoot
from flatpipe.storage.name_rules import EXACT, NameRules

CASE = NameRules(case=True)
NAMES = st.lists(st.text("aAbB~.", min_size=1, max_size=4), unique=True, max_size=12).map(sorted)


def source(image_id: str, path: str = "") -> ImageSource:
    """An image of that id."""
    return ImageSource(image_id, path or f"/photos/{image_id}", 1, "")


def ids(names: list[str], rules: NameRules = CASE) -> list[str]:
    """The ids that images of these names get."""
    told = told_apart_by(rules, map(source, names))
    return [one.image_id for one in told if isinstance(one, ImageSource)]


@given(NAMES)
def test_no_two_images_have_one_place(names: list[str]) -> None:
    """All ids are names of their own by the rules; the first of like names keeps its own, the others get a mark."""
    found = ids(names)

    assert len({CASE.key(one) for one in found}) == len(names)
    first = {CASE.key(name): name for name in reversed(names)}
    assert [one for one, name in zip(found, names, strict=True) if one == name] == [
        name for name in names if first[CASE.key(name)] == name
    ]
    assert [layout.unmarked(one) for one in found] == names
    assert ids(names, EXACT) == names


@given(NAMES, NAMES)
def test_a_mark_depends_on_the_names_that_are_alike_alone(names: list[str], others: list[str]) -> None:
    """Images of other names change no id, and neither does the number of those that share one."""
    apart = {CASE.key(name) for name in names}
    more = sorted({*names, *(other for other in others if CASE.key(other) not in apart)})
    alone, among = dict(zip(names, ids(names), strict=True)), dict(zip(more, ids(more), strict=True))

    assert alone == {name: among[name] for name in names}


def test_who_has_the_name_of_a_marked_image_is_marked_too() -> None:
    """A file that is called as a marked image would be does not take its place."""
    taken = layout.marked("a.png", "a.png")
    found = ids(["A.png", "a.png", taken])

    assert found[1] == taken
    assert len(set(found)) == 3


def test_what_will_not_be_opened_keeps_its_name_and_place() -> None:
    """A refused file has no outputs and no mark; the image that comes after it is marked all the same."""
    refused = RefusedFile(source("A.png"), Failure("discover", "io-error", "cannot be read"))
    found = list(told_apart_by(CASE, [refused, source("a.png")]))

    assert found[0] is refused
    assert isinstance(found[1], ImageSource)
    assert found[1].image_id == layout.marked("a.png", "a.png")


@pytest.mark.parametrize("glob", ["a.png", "*.png", "a.png~*", "?.png#*"])
def test_a_marked_image_is_found_by_its_files_name(glob: str) -> None:
    """`--only` takes the name that the user knows, and the one that is shown."""
    ledger = Ledger(None)
    marked = source(layout.marked("a.png", "a.png"))
    frame = source(f"{marked.image_id}#002")
    wanted = selector(Request(only=(glob,)), ledger)
    ledger.close()

    assert (wanted(marked), wanted(frame)) == (("#" not in glob), glob in ("a.png~*", "?.png#*"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The config of a folder with two images of like names."""
    for name in ("A.png", "a.png"):
        write_image(tmp_path / "photos" / name)
    (tmp_path / "pipeline.yaml").write_text("input: {path: photos}\noutput: {path: out}\n")
    return load_config(tmp_path / "pipeline.yaml")


def _raise(_: LocalRoot) -> NameRules:
    raise OSError(30, "Read-only file system")


def test_the_output_is_asked_for_its_rules(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lists the input has the ids that the output's file system tells apart; what cannot be asked is exact."""
    found = []
    for rules in (lambda _: CASE, lambda _: EXACT, _raise):
        monkeypatch.setattr(LocalRoot, "name_rules", rules)
        found.append([one.image_id for one in input_sources(config) if isinstance(one, ImageSource)])

    assert found == [["A.png", layout.marked("a.png", "a.png")], ["A.png", "a.png"], ["A.png", "a.png"]]


def test_what_is_deleted_is_never_guessed(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """For `clean`, a renamed image's place is that of the image there now; without rules nothing is listed at all."""
    monkeypatch.setattr(LocalRoot, "name_rules", lambda _: CASE)
    listed = ListedInput(config)
    marked = layout.marked("a.png", "a.png")
    assert [listed.is_gone(one) for one in ("A.png", marked, "a.png", "b.png")] == [False, False, True, True]
    assert [listed.holds_place_of(one) for one in ("a.png", "B.png")] == [True, False]
    listed.close()
    monkeypatch.setattr(LocalRoot, "name_rules", _raise)
    with pytest.raises(ConfigError, match=r"its file system cannot be asked .* Read-only file system"):
        ListedInput(config)
