"""Transparent pixels on a background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_STRIP_PIXELS = 1 << 20
# ^ of which Pillow holds four copies at a time: of the whole image they were more than decoding it takes


def composited(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8], background: str) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) as they look on a background "#rrggbb"; alpha (H, W) uint8 is their opacity."""
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    result = np.empty_like(pixels)
    for top in range(0, len(pixels), rows):
        strip = slice(top, top + rows)
        opacity = Image.fromarray(alpha[strip])
        ground = Image.new("RGB", opacity.size, background)
        result[strip] = np.asarray(Image.composite(Image.fromarray(pixels[strip]), ground, opacity))
    return result
