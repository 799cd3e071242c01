"""Which way up an image is, and how to turn it."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from flatpipe.files.pillow_guard import DECODER_ERRORS

_Pixels = TypeVar("_Pixels", bound=np.generic)


def read_orientation(image: Image.Image) -> int:
    """EXIF (or XMP) orientation of an opened or loaded image, 1..8; 1 when there is none, or none that can be read."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DECODER_ERRORS:
        return 1
        # ^ damaged metadata says nothing about the pixels
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def turn_upright(pixels: NDArray[_Pixels], orientation: int) -> NDArray[_Pixels]:
    """The pixels (H, W) or (H, W, bands) as they are meant to be seen, C-contiguous; source: EXIF 2.32, tag 274."""
    rows, columns = pixels[::-1], pixels[:, ::-1]
    turned = {
        1: pixels,
        2: columns,
        3: columns[::-1],
        4: rows,
        5: pixels.swapaxes(0, 1),
        6: rows.swapaxes(0, 1),
        7: columns[::-1].swapaxes(0, 1),
        8: columns.swapaxes(0, 1),
    }[orientation]
    return np.ascontiguousarray(turned)
