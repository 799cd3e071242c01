"""Fingerprints: stable for what was made before, and different for whatever can change a byte."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args

import pytest

from flatpipe.plan import fingerprint
from flatpipe.plan.fingerprint import Fingerprints, changed, fingerprints
from flatpipe.quantize.options import Dither, FixedColor, FlattenOptions
from flatpipe.settings import AnimationOptions, DecodePolicy, GivenPalette, TaskSettings

PLAIN = TaskSettings(output="/out")
OTHERWISE = TaskSettings(
    output="/out",
    flatten=FlattenOptions(solver="sklearn", seed=7, space="oklab"),
    decode=DecodePolicy(alpha="#ffffff", truncated="fill"),
    animation=AnimationOptions(format="webp", frame_ms=100, hold_ms=0, max_side=None, captions=True),
    pictures=False,
    palettes=("hex",),
    target="knee",
)
VERSIONS = {
    "CLUSTERING": 3,
    "DECODING": 1,
    "ENCODING": 1,
    "PICTURES": 1,
    "KNEE": 1,
    "CAPTIONS": 1,
    "PALETTES": 1,
    "OKLAB": 1,
}
# ^ of that day; one that has been raised since makes what it is about anew, once
RECORDED = {
    # name: (settings, digest of k = 2, of k = 8, of the sweep of both), as flatpipe 0.1 of 2026-11-26 recorded them
    "plain": (PLAIN, "b8cb8e045a8f7907", "0d21290944f9fc31", "e953e4ccf50cb650"),
    "captions": (
        replace(PLAIN, animation=AnimationOptions(captions=True)),
        *("b8cb8e045a8f7907", "0d21290944f9fc31", "b29b5eced011ab18"),
    ),
    "palettes": (
        replace(PLAIN, palettes=("gpl", "ase")),
        *("b8cb8e045a8f7907", "0d21290944f9fc31", "d0a59e20900e8443"),
    ),
    "knee": (replace(PLAIN, target="knee"), "b8cb8e045a8f7907", "0d21290944f9fc31", "4978b56d43987da4"),
    "psnr": (replace(PLAIN, target="psnr>=30"), "b8cb8e045a8f7907", "0d21290944f9fc31", "63ea97d15c37ddb3"),
    "no animation": (
        replace(PLAIN, animation=AnimationOptions(enabled=False, captions=True)),
        *("b8cb8e045a8f7907", "0d21290944f9fc31", "222b28fe27ea2e81"),
    ),
    "otherwise": (OTHERWISE, "a6bd55f880ba1e0e", "fca51f2b976f8a8d", "f9182cafaef5f9d8"),
}

CHANGES: dict[str, Any] = {
    "flatten.solver": "textbook",
    "flatten.seed": 1,
    "flatten.space": "oklab",
    "flatten.chart": ("#000000", "#ffffff"),
    "flatten.fixed": (FixedColor("#ff0000"),),
    "flatten.match": "oklab",
    "flatten.dither": "blue-noise",
    "decode.truncated": "fill",
    "decode.alpha": "#000000",
    "animation.enabled": False,
    "animation.format": "apng",
    "animation.frame_ms": 401,
    "animation.hold_ms": 1501,
    "animation.max_side": None,
    "animation.captions": True,
    "animation.fade": 2,
    "pictures": False,
    "stills": True,
    "palettes": ("gpl",),
    "target": "knee",
    "named": (("#ff0000", "red", ""),),
    "is_shared": True,
    "flats": "none",
}
# ^ a value other than the default's, for each field that can change a byte
OF_FLATS = {name for name in CHANGES if name.startswith(("flatten.", "decode.", "is_shared", "flats"))}
# ^ those of them that change the flat images too, or whether they are there
HARMLESS: dict[str, tuple[Any, str]] = {
    "output": ("/elsewhere", "where files lie changes none of them"),
    "run": ("20261126T000000Z-000000", "names the run, for stopping it"),
    "part": ("2/8", "where files wait until they are whole"),
    "pieces": (".pieces", "how files are kept, in folders or in shards: their bytes are the same"),
    "features": (True, "a table of what is recorded"),
    "decode.max_pixels": (1, "refuses an image, or lets it be decoded as it is"),
    "decode.max_bytes": (1, "refuses an image, or lets it be decoded as it is"),
    "reading.roots": (("photos",), "refuses an image that is a link, or lets it be read as it is"),
    "reading.max_bytes": (1, "refuses an image, or lets it be read as it is"),
    "name_width": (
        3,
        "names files, by ks alone: a flat under another name is missing there, and ks are in the sweep's",
    ),
    "widest_k": (200, "how large the boxes of captions are, by ks alone, which are in the sweep's"),
    "n_ks": (3, "how many ks there are, which are in the sweep's"),
    "weigh": ("images", "changes palettes that images share, and their digests are recorded with each output"),
    "given": ((GivenPalette(2, ("#000000",), "d"),), "the same"),
    "metrics": (("ssim",), "measures of a flat image; the planner looks for those that were not taken"),
    "io_retries": (9, "how often a read or write is tried again"),
    "seconds_per_image": (1.0, "ends a decoding, or lets it come to its end"),
}


@pytest.fixture(autouse=True)
def versions_of_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions under which the digests were recorded."""
    for name, version in VERSIONS.items():
        monkeypatch.setattr(fingerprint, name, version)


def _field_names(record: object, prefix: str = "") -> list[str]:
    """Every field of a record and of the records inside it, dotted."""
    names = []
    for field in fields(record):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        inner = _field_names(value, f"{prefix}{field.name}.") if is_dataclass(value) else [f"{prefix}{field.name}"]
        names += inner
    return names


def _with(settings: TaskSettings, name: str, value: object) -> TaskSettings:
    """The settings with one field changed, dotted as above."""
    outer, _, inner = name.partition(".")
    if not inner:
        return replace(settings, **{outer: value})
    return replace(settings, **{outer: replace(getattr(settings, outer), **{inner: value})})


def _digests(prints: Fingerprints) -> tuple[str, str]:
    return prints.flat[2], prints.sweep


def test_every_field_of_the_settings_is_judged() -> None:
    """Each field of TaskSettings, and of the records in it, changes a digest or is harmless, and the list says why."""
    assert sorted(_field_names(PLAIN)) == sorted([*CHANGES, *HARMLESS])


@pytest.mark.parametrize("name", CHANGES)
def test_what_can_change_a_byte_changes_a_digest(name: str) -> None:
    """Another value of the field gives the sweep another digest, and the flats where it can change them."""
    before, after = (_digests(fingerprints(one, (2,))) for one in (PLAIN, _with(PLAIN, name, CHANGES[name])))
    assert before[1] != after[1]
    assert (before[0] != after[0]) == (name in OF_FLATS)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_changes_no_digest(name: str) -> None:
    """Another value of such a field makes nothing due."""
    value, _ = HARMLESS[name]
    assert _with(PLAIN, name, value) != PLAIN
    assert fingerprints(_with(PLAIN, name, value), (2,)) == fingerprints(PLAIN, (2,))


@pytest.mark.parametrize("name", RECORDED)
def test_digests_stay_as_they_were_recorded(name: str) -> None:
    """A ledger written before is understood: the same settings and versions have the digests that it holds."""
    settings, *digests = RECORDED[name]
    prints = fingerprints(settings, (2, 8))
    assert [prints.flat[2], prints.flat[8], prints.sweep] == digests


@pytest.mark.parametrize(("version", "uses"), [
    ("CLUSTERING", set(RECORDED)),
    ("DECODING", set(RECORDED)),
    ("ENCODING", set(RECORDED)),
    ("PICTURES", set(RECORDED) - {"otherwise"}),
    ("KNEE", set(RECORDED)),
    ("CAPTIONS", {"captions", "otherwise"}),
    ("PALETTES", set(RECORDED)),
])  # fmt: skip
def test_a_raised_version_makes_due_what_uses_the_part(version: str, uses: set[str], monkeypatch) -> None:
    """The sweeps of settings that use a part get another digest with its version, and no others do."""
    monkeypatch.setattr(fingerprint, version, getattr(fingerprint, version) + 1)
    otherwise = {name for name, (settings, _, _, sweep) in RECORDED.items() if _sweep_of(settings) != sweep}
    assert otherwise == uses


def _sweep_of(settings: TaskSettings) -> str:
    return fingerprints(settings, (2, 8)).sweep


def test_the_knee_changes_nothing_where_no_k_is_chosen(monkeypatch) -> None:
    """Without best.png and without the report, no file depends on the knee."""
    before = fingerprints(replace(PLAIN, pictures=False), (2,))
    monkeypatch.setattr(fingerprint, "KNEE", 2)
    assert fingerprints(replace(PLAIN, pictures=False), (2,)) == before


def test_a_raised_version_is_told_by_its_part(monkeypatch) -> None:
    """`plan` says which part has another version, also one that had none when the output was made."""
    before = fingerprints(PLAIN, (2,))
    monkeypatch.setattr(fingerprint, "KNEE", 2)
    monkeypatch.setattr(fingerprint, "PALETTES", 3)
    after = fingerprints(PLAIN, (2,))
    reason = changed(before.choices[before.sweep], after.choices[after.sweep])
    assert reason == "knee 1 -> 2, palettes 1 -> 3"


def test_to_match_in_the_space_of_the_clusters_is_no_other_choice() -> None:
    """Said or not, that pixels are matched where the clusters are makes nothing due."""
    said = replace(PLAIN, flatten=FlattenOptions(match="rgb"))
    assert fingerprints(said, (2,)) == fingerprints(PLAIN, (2,))


def test_dithering_is_told_beside_what_was_made_before_there_was_a_choice() -> None:
    """`plan` says which way of dithering came instead of none, and with it its version."""
    before, after = (
        fingerprints(replace(PLAIN, flatten=FlattenOptions(dither=way)), (2,)) for way in get_args(Dither)[:2]
    )
    reason = changed(before.choices[before.flat[2]], after.choices[after.flat[2]])
    assert reason == "dither changed: none -> floyd-steinberg"


def test_another_version_of_dithering_is_of_dithered_images_alone(monkeypatch) -> None:
    """What is not dithered stays valid when dithering changes."""
    plain, dithered = PLAIN, replace(PLAIN, flatten=FlattenOptions(dither="blue-noise"))
    before = [fingerprints(settings, (2,)) for settings in (plain, dithered)]
    monkeypatch.setattr(fingerprint, "DITHERING", 2)
    after = [fingerprints(settings, (2,)) for settings in (plain, dithered)]

    assert before[0] == after[0]
    assert changed(before[1].choices[before[1].flat[2]], after[1].choices[after[1].flat[2]]) == "dithering 1 -> 2"


def test_other_colours_to_choose_from_are_told_in_words() -> None:
    """`plan` says that the chart or the fixed colours changed, also when the choices come from a ledger."""
    locked = FlattenOptions(chart=("#000000", "#ff0000"), fixed=(FixedColor("#ff0000", 1), FixedColor("#000000")))
    before, after = (fingerprints(replace(PLAIN, flatten=options), (2,)) for options in (FlattenOptions(), locked))
    kept = json.loads(json.dumps(after.choices[after.sweep]))

    assert changed(before.choices[before.sweep], kept) == "chart changed, fixed colours changed"
    assert kept == after.choices[after.sweep]


def test_a_raised_version_of_oklab_is_about_oklab_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """When means in Oklab are rounded otherwise, what was clustered in RGB stays valid; what was in Oklab is due."""
    in_oklab = replace(PLAIN, flatten=FlattenOptions(space="oklab"))
    before = [fingerprints(settings, (2,)) for settings in (PLAIN, in_oklab)]
    monkeypatch.setattr(fingerprint, "OKLAB", 2)
    after = [fingerprints(settings, (2,)) for settings in (PLAIN, in_oklab)]

    assert after[0] == before[0]
    assert after[1].flat[2] != before[1].flat[2]
    assert after[1].sweep != before[1].sweep
    assert changed(before[1].choices[before[1].flat[2]], after[1].choices[after[1].flat[2]]) == "oklab 1 -> 2"


def test_a_shared_palette_depends_on_how_it_is_found_alone() -> None:
    """What gives pixels another colour of the same palette makes no palette anew; what weighs them otherwise does."""
    plain = replace(PLAIN, is_shared=True)
    dithered = replace(plain, flatten=replace(plain.flatten, dither="blue-noise"))

    assert fingerprints(dithered, (2,)).shared == fingerprints(plain, (2,)).shared
    assert fingerprints(replace(plain, weigh="images"), (2,)).shared != fingerprints(plain, (2,)).shared
    assert fingerprints(PLAIN, (2,)).shared == {}
