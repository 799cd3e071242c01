"""What an image takes, before it is decoded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from builders import settings_for, source_of, write_image

from flatpipe.errors import ImageTooLarge
from flatpipe.quantize.options import FlattenOptions
from flatpipe.work.memory import WORK_RATIO, check_colors, memory_needed


def test_fades_count_by_the_pixels_of_their_frames(tmp_path: Path) -> None:
    """The frames between take what they hold, however small max_side makes them, and nothing where there are none."""
    source = source_of(write_image(tmp_path / "a.png", height=300, width=400))
    needed = {}
    for name, options in {
        "none": {}, "disabled": {"fade": 2, "enabled": False}, "small": {"fade": 2, "max_side": 100},
        "whole": {"fade": 2, "max_side": None}, "more": {"fade": 4, "max_side": None},
        "video": {"format": "webm"},
    }.items():  # fmt: skip
        need = memory_needed(source, replace(settings_for(tmp_path, **options), n_ks=10))
        assert need is not None
        needed[name] = need.bytes

    assert needed["disabled"] == needed["none"]
    assert needed["small"] - needed["none"] == pytest.approx(20 * 100 * 100 * 1.1)
    assert needed["whole"] - needed["none"] == pytest.approx(20 * 300 * 400 * 1.1)
    assert needed["video"] - needed["none"] == 300 * 400 * 85
    assert needed["more"] - needed["none"] == pytest.approx(40 * 300 * 400 * 1.1)


def test_an_image_whose_fades_do_not_fit_is_refused(tmp_path: Path) -> None:
    """The same image is done where the sweep has no frames between."""
    plain = settings_for(tmp_path)
    share = replace(plain.decode, max_bytes=int(1_000_000 * 20 / WORK_RATIO))
    check_colors(1_000_000, 10, replace(plain, decode=share))
    with pytest.raises(ImageTooLarge, match="take about"):
        check_colors(1_000_000, 10, replace(settings_for(tmp_path, fade=2), decode=share))


def test_an_image_whose_mixtures_do_not_fit_is_refused(tmp_path: Path) -> None:
    """Blue noise mixes every colour apart: an image of many is refused where there is room only without it."""
    plain = settings_for(tmp_path)
    settings = replace(plain, decode=replace(plain.decode, max_bytes=int(1_000_000 * 150 / WORK_RATIO)))
    for dither in ("none", "floyd-steinberg"):
        check_colors(1_000_000, 1_000_000, replace(settings, flatten=FlattenOptions(dither=dither)))
    with pytest.raises(ImageTooLarge, match="1,000,000 colours take about"):
        check_colors(1_000_000, 1_000_000, replace(settings, flatten=FlattenOptions(dither="blue-noise")))
