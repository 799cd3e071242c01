"""Which outputs are valid, and the join of images with their outputs."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from flatpipe.ledger.ledger import Ledger
from flatpipe.records import (
    FlattenResult,
    ImageResult,
    ImageSource,
    LoadToken,
    PlannedImage,
    SettingsDigests,
    SweepResult,
)
from flatpipe.work.recorded import recorded

NAMES = ("a.png", "b/a.png", "caf\udce9.png", "صورة.png")
ASKED_FOR = SettingsDigests(((2, "new"),), "new")


@dataclass(frozen=True)
class Made:
    """What one run made of one image."""

    name: str
    content: str
    settings: str
    ks: tuple[int, ...]
    with_sweep: bool


contents, settings = st.sampled_from(["one", "two"]), st.sampled_from(["old", "new"])
ks = st.lists(st.integers(2, 12), unique=True, max_size=4).map(lambda found: tuple(sorted(found)))
made = st.lists(st.builds(Made, st.sampled_from(NAMES), contents, settings, ks, st.booleans()), max_size=12)
planned = st.sets(st.sampled_from(NAMES))


@given(made, planned)
def test_an_output_is_valid_by_content_and_settings(history: list[Made], plan: set[str]) -> None:
    """Of each planned image those flats and that sweep come back whose last making saw today's content and settings."""
    ledger = _recorded(history, plan)
    found = {image.source.image_id: image for image in ledger.results(ASKED_FOR).images()}

    assert found.keys() == plan
    for name, image in found.items():
        content = next((one.content for one in reversed(history) if one.name == name), "")
        last = {k: one for one in history if one.name == name for k in one.ks}
        valid = [k for k, one in sorted(last.items()) if (one.content, one.settings) == (content, "new")]
        sweep = next((one for one in reversed(history) if one.name == name and one.with_sweep), None)
        has_sweep = sweep is not None and (sweep.content, sweep.settings) == (content, "new")
        assert image.token.content == content
        assert [(flat.k, flat.sha256) for flat in image.flats] == [(k, _sha256(name, k)) for k in valid]
        assert image.files == ((("sweep.gif", "ab"),) if has_sweep else None)
    ledger.close()


@given(made, planned)
def test_digests_are_those_of_the_images(history: list[Made], plan: set[str]) -> None:
    """The quick stream of digests tells of the same images, in the same order, as the stream of all results."""
    ledger = _recorded(history, plan)
    results = ledger.results(ASKED_FOR)
    full = [(one.source.image_id, one.token.content, one.files, one.failure) for one in results.images()]
    flats = [{(flat.k, flat.sha256) for flat in one.flats} for one in results.images()]
    quick = [(one.source.image_id, one.content, one.files, one.failure) for one in results.digests()]

    assert quick == full
    assert [set(one.flats) for one in results.digests()] == flats
    ledger.close()


@given(made, planned, st.data())
def test_the_state_changes_with_what_is_there(history: list[Made], plan: set[str], data: st.DataObject) -> None:
    """Equal results give the same state; a flat more of a planned image gives another."""
    ledger, twin = _recorded(history, plan), _recorded(history, plan)
    before = ledger.results(ASKED_FOR).state()
    assert twin.results(ASKED_FOR).state() == before
    name = data.draw(st.sampled_from(NAMES))
    content = next((one.content for one in reversed(history) if one.name == name), "three")
    _record(ledger, Made(name, content, "new", (99,), False))
    assert (ledger.results(ASKED_FOR).state() != before) == (name in plan)
    ledger.close()
    twin.close()


def _recorded(history: list[Made], plan: set[str]) -> Ledger:
    ledger = Ledger(None)
    for one in history:
        _record(ledger, one)
    ledger.store_plan([PlannedImage(_source(name), (), sweep=False, reason="") for name in sorted(plan)])
    return ledger


def _record(ledger: Ledger, one: Made) -> None:
    source = _source(one.name)
    flats = tuple(FlattenResult(one.name, k, k, 1.5, ("#000000",), (9,), 7, _sha256(one.name, k)) for k in one.ks)
    sweep = SweepResult(one.name, 1, "ab", 2, "cd", (("sweep.gif", "ab"),)) if one.with_sweep else None
    result = ImageResult(source, LoadToken(one.name, one.content, 3, 2, 5), flats, sweep)
    digests = SettingsDigests(tuple(dict.fromkeys(one.ks, one.settings).items()), one.settings)
    ledger.record([recorded(result, digests)], "run")


def _source(name: str) -> ImageSource:
    return ImageSource(name, f"/photos/{name}", 1, "stamp")


def _sha256(name: str, k: int) -> str:
    return f"{len(name):03d}{k:061d}"
