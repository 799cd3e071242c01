"""Planning: what is still valid is not done again, and what is done again has a reason."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from builders import settings_for, source_of, write_image
from hypothesis import given, settings
from hypothesis import strategies as st

from flatpipe import layout
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.fingerprint import changed, fingerprints
from flatpipe.plan.planner import Planner
from flatpipe.quantize.options import FlattenOptions
from flatpipe.records import (
    FlattenResult,
    ImageResult,
    ImageSource,
    LoadToken,
    PlannedImage,
    SettingsDigests,
    SweepResult,
)
from flatpipe.settings import TaskSettings
from flatpipe.storage.local import LocalRoot
from flatpipe.work import tasks
from flatpipe.work.recorded import recorded

KS = (2, 3, 4)


FILES = ("k02.png", "k03.png", "k04.png", "sweep.gif", "palettes.json", "best.png")
NAMES = ("a.png", "caf\udce9.png", "trips/صورة.png")


@dataclass(frozen=True)
class State:
    """What is wrong with an image's outputs: by default nothing."""

    stale: str = ""
    # ^ outputs that were made of what the image held before: "flats", "sweep" or both
    old_flat: int | None = None
    no_flat: int | None = None
    unmeasured: int | None = None
    no_sweep: bool = False
    old_sweep: bool = False
    touched: bool = False
    lost: str = ""
    resized: str = ""


def _mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The usual value most of the time, so that images with one fault, or none, are frequent."""
    return st.sampled_from([usual] * 8 + list(others))


states = st.builds(
    State,
    stale=_mostly("", "flats", "sweep", "flats sweep"),
    old_flat=_mostly(None, *KS),
    no_flat=_mostly(None, *KS),
    unmeasured=_mostly(None, *KS),
    no_sweep=_mostly(False, True),
    old_sweep=_mostly(False, True),
    touched=_mostly(False, True),
    lost=_mostly("", *FILES),
    resized=_mostly("", *FILES),
)


class Bench:
    """One image, an output folder and a ledger."""

    def __init__(self, folder: Path) -> None:
        self.photo = write_image(folder / "in" / "a.png")
        self.settings = settings_for(folder / "out")
        self.ledger = Ledger(str(folder / "ledger.sqlite"))
        self.root = LocalRoot(str(folder / "out"))

    def plan(self, ks: tuple[int, ...] = KS, settings: TaskSettings | None = None, force: bool = False) -> PlannedImage:
        """The plan for the image as it is now."""
        settings = settings or self.settings
        prints = fingerprints(settings, ks)
        self.ledger.record_settings(prints.choices)
        planner = Planner(self.ledger, self.root, settings, ks, prints, force)
        (planned,) = planner.plan([source_of(self.photo)])
        return planned

    def do(self, ks: tuple[int, ...] = KS, settings: TaskSettings | None = None) -> None:
        """Do what the plan says, and record it."""
        settings = settings or self.settings
        planned = self.plan(ks, settings)
        prints = fingerprints(settings, ks)
        kept = [flat for flat in self.ledger.flats_of("a.png") if flat.k in ks and flat.k not in planned.ks]
        token = tasks.load(planned.source, settings)
        fresh = [tasks.flatten(token, planned.source, k, settings) for k in planned.ks]
        result = tasks.sweep(token, fresh, planned.source, kept, settings)
        assert result.failure is None
        digests = SettingsDigests(tuple(prints.flat.items()), prints.sweep)
        self.ledger.record([recorded(result, digests)], "run")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench on which nothing was done yet."""
    return Bench(tmp_path)


def test_a_new_image_needs_everything(bench: Bench) -> None:
    """An unknown image gets every k and the sweep, because it is new."""
    planned = bench.plan()

    assert (planned.ks, planned.sweep, planned.reason) == (KS, True, "new")


def test_what_was_done_is_not_done_again(bench: Bench) -> None:
    """After a run nothing is due, and there is no reason."""
    bench.do()

    assert bench.plan().is_current
    assert bench.plan().reason == ""


def test_a_wider_k_range_needs_only_the_new_k(bench: Bench) -> None:
    """With one k more, that k and the sweep are due, and the reason says so."""
    bench.do()
    planned = bench.plan((2, 3, 4, 5))

    assert (planned.ks, planned.sweep) == ((5,), True)
    assert planned.reason == "k = 5 added"


def test_a_narrower_k_range_needs_only_the_sweep(bench: Bench) -> None:
    """With one k less, only the sweep is made anew."""
    bench.do()
    planned = bench.plan((2, 3))

    assert (planned.ks, planned.sweep, planned.reason) == ((), True, "sweep: k range changed")


def test_a_changed_choice_names_itself(bench: Bench) -> None:
    """Another solver makes all flats due, and the reason tells from which to which."""
    bench.do()
    planned = bench.plan(settings=replace(bench.settings, flatten=FlattenOptions(solver="sklearn")))

    assert planned.ks == KS
    assert planned.reason == "solver changed: multilevel -> sklearn"


def test_a_replaced_image_is_done_again(bench: Bench) -> None:
    """Other content under the same name makes everything due, even at equal size."""
    bench.do()
    content = bytearray(bench.photo.read_bytes())
    content[-1] ^= 1
    bench.photo.write_bytes(content)

    assert bench.plan().ks == KS
    assert bench.plan().reason == "content changed"


def test_a_moved_date_alone_changes_nothing(bench: Bench) -> None:
    """A file that was touched or copied with equal content stays valid, and its new date is remembered."""
    bench.do()
    os.utime(bench.photo, ns=(1, 1))

    assert bench.plan().is_current
    known = bench.ledger.known(["a.png"])["a.png"]
    assert known.source.stamp == source_of(bench.photo).stamp


@pytest.mark.parametrize(
    ("name", "due", "reason"),
    [
        ("k03.png", (3,), "output missing (k = 3)"),
        ("sweep.gif", (), "sweep: output missing"),
        ("palettes.json", (), "sweep: output missing"),
    ],
)
def test_a_deleted_output_is_due(bench: Bench, name: str, due: tuple[int, ...], reason: str) -> None:
    """Any output that is gone is made again, and nothing else but the sweep."""
    bench.do()
    (Path(bench.root.place) / "images" / "a.png" / name).unlink()
    planned = bench.plan()

    assert (planned.ks, planned.sweep, planned.reason) == (due, True, reason)


def test_a_shortened_output_is_due(bench: Bench) -> None:
    """An output whose size is not the recorded one is made again."""
    bench.do()
    flat = Path(bench.root.place) / "images" / "a.png" / "k02.png"
    flat.write_bytes(flat.read_bytes()[:-1])

    assert bench.plan().reason == "output has another size (k = 2)"


@settings(max_examples=150, deadline=None)
@given(st.lists(states, min_size=3, max_size=3), st.sampled_from(["", "knee"]), st.booleans(), st.booleans())
def test_what_is_settled_is_what_lacks_nothing(
    states: list[State], target: str, with_animation: bool, with_metrics: bool
) -> None:
    """Whatever was recorded and is there, the quick look finds those images current that the thorough one does."""
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Ledger(None)) as ledger:
        asked = settings_for(Path(folder), enabled=with_animation)
        asked = replace(asked, target=target, metrics=("ssim",) if with_metrics else ())
        prints = fingerprints(asked, KS)
        planner = Planner(ledger, LocalRoot(folder), asked, KS, prints)
        sources = [_leave(state, name, planner) for name, state in zip(NAMES, states, strict=True)]
        quick = list(planner.plan(sources))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Ledger, "settled", lambda *_: {})
            assert quick == list(planner.plan(sources))
        whole = [image.source.image_id for image, state in zip(quick, states, strict=True) if state == State()]
        assert set(whole) <= {image.source.image_id for image in quick if image.is_current}


def _leave(state: State, name: str, planner: Planner) -> ImageSource:
    """What a run leaves of an image, spoilt as the state says; its source as it is today."""
    prints, folder = planner.fingerprints, layout.image_folder(name)
    source, digests = ImageSource(name, f"/nowhere/{name}", 5, "then"), dict(prints.flat)
    if state.old_flat is not None:
        digests[state.old_flat] = "old"
    ks = [k for k in KS if k != state.no_flat]
    metrics = {k: (("ssim", None), ("ciede2000", 1.5)) if k != state.unmeasured else () for k in KS}
    flats = tuple(FlattenResult(name, k, k, 1.5, bytes=10 + k, sha256="ab", metrics=metrics[k]) for k in ks)
    sweep = None if state.no_sweep else SweepResult(name, 7, "ab", 8, "cd")
    as_asked = SettingsDigests(tuple(digests.items()), "old" if state.old_sweep else prints.sweep)
    before, now = (LoadToken(name, content, 3, 2, 5) for content in ("before", "now"))
    if state.stale:
        planner.ledger.record([recorded(ImageResult(source, before, flats, sweep), as_asked)], "run")
    flats, sweep = () if "flats" in state.stale else flats, None if "sweep" in state.stale else sweep
    planner.ledger.record([recorded(ImageResult(source, now, flats, sweep), as_asked)], "run")
    files = {layout.flat_name(k, 2): 10 + k for k in ks} | {"sweep.gif": 7, "palettes.json": 8, "best.png": 12}
    for file, size in files.items():
        if file != state.lost:
            content = bytes(size + (file == state.resized))
            planner.outputs.write(f"{folder}/{file}", content)
    return replace(source, stamp="now") if state.touched else source


def test_force_makes_everything_due(bench: Bench) -> None:
    """With force, what is there counts for nothing."""
    bench.do()

    assert bench.plan(force=True).ks == KS


def test_a_plan_of_unreadable_files_does_no_image_work(bench: Bench) -> None:
    """Planning never opens an image that the ledger does not know."""
    planner = Planner(bench.ledger, bench.root, bench.settings, KS, fingerprints(bench.settings, KS))
    sources = [ImageSource(f"{n:04d}.png", "/nowhere", 5, "x") for n in range(1000)]

    assert [planned.source for planned in planner.plan(sources)] == sources


def test_changes_are_told_in_words() -> None:
    """Each differing choice is named with both values."""
    assert changed({"seed": 0, "k": 2}, {"seed": 1, "k": 2}) == "seed changed: 0 -> 1"
    assert changed({}, {}) == "settings changed"
