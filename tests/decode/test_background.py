"""Transparent pixels on a background: strip by strip, and the same as at once."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from flatpipe.decode import background
from flatpipe.decode.background import composited


@pytest.mark.parametrize("strip_pixels", [1, 7, 64, 1 << 20])
def test_strips_do_not_show(strip_pixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pixels are taken at a time, the result is that of Pillow for the whole image."""
    random = np.random.default_rng(5)
    pixels, alpha = random.integers(0, 256, (23, 9, 3), np.uint8), random.integers(0, 256, (23, 9), np.uint8)
    whole = Image.composite(Image.fromarray(pixels), Image.new("RGB", (9, 23), "#20c0ff"), Image.fromarray(alpha))
    monkeypatch.setattr(background, "_STRIP_PIXELS", strip_pixels)
    assert np.array_equal(composited(pixels, alpha, "#20c0ff"), np.asarray(whole))
