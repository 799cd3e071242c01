"""Animations as independent readers see them."""

from __future__ import annotations

import io

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

Pixels = NDArray[np.uint8]


def as_pillow_reads(content: bytes) -> list[tuple[Pixels, float]]:
    """RGBA pixels and milliseconds of each frame."""
    with Image.open(io.BytesIO(content)) as image:
        return [(np.asarray(frame.convert("RGBA")), frame.info["duration"]) for frame in ImageSequence.Iterator(image)]


def as_imageio_reads(content: bytes) -> list[Pixels]:
    """RGBA pixels of each frame."""
    return list(iio.imiter(content, mode="RGBA"))


def loops_for_ever(content: bytes) -> bool:
    """Whether the animation starts again after its last frame, without end."""
    with Image.open(io.BytesIO(content)) as image:
        return bool(image.info["loop"] == 0)
