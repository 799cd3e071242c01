"""Transparent pixels on a background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def composited(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8], background: str) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) as they look on a background "#rrggbb"; alpha (H, W) uint8 is their opacity."""
    opacity = Image.fromarray(alpha)
    ground = Image.new("RGB", opacity.size, background)
    return np.asarray(Image.composite(Image.fromarray(pixels), ground, opacity))
