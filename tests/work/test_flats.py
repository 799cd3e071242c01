"""Flat images of which not every one is written: the same colours and measures, and nothing painted in vain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from builders import noisy_pixels, settings_for, source_of
from PIL import Image

from flatpipe.quantize.knee import best_k
from flatpipe.quantize.options import CostlyMetric, FlattenOptions
from flatpipe.records import FlattenResult, ImageResult, PlannedImage
from flatpipe.settings import GivenPalette, TaskSettings
from flatpipe.work import flats, image_work, tasks
from flatpipe.work.worker import this_worker

KS = (2, 3, 5, 8)
GIVEN = tuple(GivenPalette(k, tuple(f"#{30 * n:02x}{20 * n:02x}60" for n in range(k)), f"digest {k}") for k in KS)
CHOICES = {
    "as it is": {},
    "oklab": {"flatten": FlattenOptions(space="oklab")},
    "textbook": {"flatten": FlattenOptions(solver="textbook")},
    "chart": {"flatten": FlattenOptions(chart=tuple(f"#{n:02x}{255 - n:02x}80" for n in range(0, 250, 25)))},
    "dithered": {"flatten": FlattenOptions(dither="floyd-steinberg")},
    "shared": {"given": GIVEN, "is_shared": True},
    "shared, dithered": {"given": GIVEN, "is_shared": True, "flatten": FlattenOptions(dither="blue-noise")},
    "measured": {"metrics": get_args(CostlyMetric)},
}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture with soft edges, some of it not seen at all."""
    opacity = np.clip(np.arange(24)[:, None] * 14 - 20 + np.arange(32), 0, 255).astype(np.uint8)
    Image.fromarray(np.dstack([noisy_pixels(), opacity])).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def made(photo: Path, settings: TaskSettings, out: str) -> tuple[ImageResult, dict[str, bytes]]:
    """What becomes of the picture in a folder of its own, and the files there."""
    this_worker().images.clear()
    place = photo.parent / out
    image = PlannedImage(source_of(photo), KS, sweep=True, reason="new")
    result = tasks.whole_image(image, (), replace(settings, output=str(place), pictures=False))
    assert result.failure is None
    return result, {path.name: path.read_bytes() for path in place.rglob("*.*") if path.is_file()}


def told(flat: FlattenResult) -> tuple[object, ...]:
    """All that is known of a flat but its file."""
    return flat.k, flat.n_colors, flat.mse, flat.palette, flat.weights, flat.metrics


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_colours_and_measures_do_not_depend_on_what_is_written(choice: dict[str, object], photo: Path) -> None:
    """With all flats, the best alone or none: equal colours, weights, measures and palettes.json; files as asked."""
    settings = replace(settings_for(photo, enabled=False), **choice)  # type: ignore[arg-type]
    every, files = made(photo, settings, "all")
    none, tables = made(photo, replace(settings, flats="none"), "none")
    best, some = made(photo, replace(settings, flats="best"), "best")
    suggested = f"k{best_k(KS, [flat.mse for flat in every.flats]):02d}.png"

    assert [told(flat) for flat in none.flats] == [told(flat) for flat in every.flats]
    assert [told(flat) for flat in best.flats] == [told(flat) for flat in every.flats]
    assert tables == {"palettes.json": files["palettes.json"]}
    assert some == {name: files[name] for name in (suggested, "palettes.json")}
    assert {(flat.bytes, flat.sha256) for flat in none.flats} == {(0, "")}
    assert [flat.sha256 for flat in best.flats if flat.sha256] == [
        flat.sha256 for flat in every.flats if f"k{flat.k:02d}.png" == suggested
    ]


@pytest.mark.parametrize("choice", ["as it is", "chart", "shared", "dithered"])
def test_nothing_is_painted_or_encoded_in_vain(choice: str, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without flats and animation no PNG is encoded and no pixel painted; a mixture of colours, for its mse alone."""

    def fail(*_: object) -> None:
        raise AssertionError("in vain")

    for module, name in ((flats, "encode_png"), (image_work, "encode_png"), (flats, "encode_frame")):
        monkeypatch.setattr(module, name, fail)
    for name in ("flatten_indexed", "flatten_to"):
        monkeypatch.setattr(flats, name, fail)
    if choice != "dithered":
        for name in ("label_pixels", "look_up"):
            monkeypatch.setattr(f"flatpipe.quantize.flatten.{name}", fail)
    settings = replace(settings_for(photo, enabled=False), flats="none", **CHOICES[choice])  # type: ignore[arg-type]

    assert len(made(photo, settings, "none")[0].flats) == len(KS)


@pytest.mark.parametrize("dither", ["none", "floyd-steinberg"])
@pytest.mark.parametrize("which", ["best", "none"])
def test_a_sweep_needs_no_flat_files(which: str, dither: str, photo: Path) -> None:
    """The animation is the same to the byte, also where its task finds nothing kept of the flats."""
    settings = replace(settings_for(photo, fade=1), flatten=FlattenOptions(dither=dither), target="knee")  # type: ignore[arg-type]
    every, files = made(photo, settings, "all")
    some = replace(settings, flats=which)  # type: ignore[arg-type]
    _, here = made(photo, some, which)
    elsewhere = replace(some, output=str(photo.parent / "elsewhere"), pictures=False)
    token = tasks.load(source_of(photo), elsewhere)
    fresh = [tasks.flatten(token, source_of(photo), k, elsewhere) for k in KS]
    this_worker().images.clear()
    swept = tasks.sweep(token, fresh, source_of(photo), (), elsewhere)

    assert here["sweep.gif"] == files["sweep.gif"]
    assert swept.sweep is not None
    assert every.sweep is not None
    assert swept.sweep.animation_sha256 == every.sweep.animation_sha256
    assert here.get("best.png") == (files["best.png"] if which == "best" else None)


def test_the_best_flat_moves_with_what_is_asked_for(photo: Path) -> None:
    """Where another k becomes the best, that one is written, and the record of the one before has no file."""
    settings = replace(
        settings_for(photo, enabled=False), flats="best", target="psnr>=1", output=str(photo.parent / "o")
    )
    settings = replace(settings, pictures=False)
    before = tasks.whole_image(PlannedImage(source_of(photo), KS, True, "new"), (), settings)
    later = replace(settings, target="psnr>=99")
    after = tasks.whole_image(PlannedImage(source_of(photo), (), True, "best k"), before.flats, later)

    assert [flat.k for flat in before.flats if flat.sha256] == [KS[0]]
    assert after.sweep is not None
    assert after.flats == ()
    assert [(flat.k, bool(flat.sha256)) for flat in after.sweep.moved] == [(KS[0], False), (KS[-1], True)]
