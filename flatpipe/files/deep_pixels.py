"""Samples of more than 8 bits -> 8 bits: scaled and rounded, where Pillow truncates or clips."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

_LOW_BYTES = {
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": "RGB;16B" if sys.byteorder == "little" else "RGB;16L",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "RGBA;16N": "RGBA;16B" if sys.byteorder == "little" else "RGBA;16L",
    "RGBX;16B": "RGBX;16L",
    "RGBX;16L": "RGBX;16B",
    "RGBX;16N": "RGBX;16B" if sys.byteorder == "little" else "RGBX;16L",
    "CMYK;16B": "CMYK;16L",
    "CMYK;16L": "CMYK;16B",
    "CMYK;16N": "CMYK;16B" if sys.byteorder == "little" else "CMYK;16L",
    "LA;16B": "RGBA",
}
# ^ Pillow unpacks 16-bit colour by keeping the high byte of each sample. Unpacking the same file in the other byte
#   order keeps the low bytes: two runs of its decoder give all 16 bits, with no decoder of our own.
#   "LA;16B" read as 8-bit RGBA yields grey high, grey low, alpha high, alpha low: one run is enough


def low_byte_rawmode(image: ImageFile.ImageFile) -> str | None:
    """The raw mode that unpacks the low bytes of an opened image's 16-bit samples; None when it has none."""
    rawmodes = {_rawmode(tile.args) for tile in image.tile}
    return _LOW_BYTES.get(rawmodes.pop() or "") if len(rawmodes) == 1 else None


def use_rawmode(image: ImageFile.ImageFile, rawmode: str) -> None:
    """Make an opened image unpack its samples as `rawmode` when it is loaded."""
    image.tile = [tile._replace(args=_with_rawmode(tile.args, rawmode)) for tile in image.tile]


def _rawmode(args: tuple[Any, ...] | str | None) -> str | None:
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else None


def _with_rawmode(args: tuple[Any, ...] | str | None, rawmode: str) -> tuple[Any, ...] | str:
    return (rawmode, *args[1:]) if isinstance(args, tuple) else rawmode


def scale_16_to_8(samples: NDArray[np.uint16], white: int = 65535) -> NDArray[np.uint8]:
    """Samples 0..white as 0..255 (same shape, uint8), rounded to nearest."""
    ramp = (np.arange(white + 1, dtype=np.uint32) * 255 + white // 2) // white
    table = np.minimum(ramp, 255).astype(np.uint8)
    return table[np.minimum(samples, white)]


def join_bytes(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The 16-bit samples (same shape, uint16) whose high and low bytes are given."""
    samples = high.astype(np.uint16) << np.uint16(8)
    samples |= low
    return samples


def scale_integers(samples: NDArray[np.int32] | NDArray[np.uint32], bits: int) -> tuple[NDArray[np.uint8], str]:
    """Integer grey as 8 bits, and a note.

    `bits` are those of a sample in the file, its sign left out. Up to 16: scaled from 0..2^bits - 1, but stretched from
    lowest to highest when there are negatives. More: 0..255 kept, 0..65535 scaled, anything else stretched.
    """
    lowest, highest = int(samples.min()), int(samples.max())
    if lowest >= 0 and highest < 1 << bits <= 1 << 16:
        return scale_16_to_8(samples.astype(np.uint16), (1 << bits) - 1), f"{bits} bit scaled to 8"
    if bits > 16 and lowest >= 0 and highest <= 255:
        return samples.astype(np.uint8), "integers 0..255 kept as they are"
    if bits > 16 and lowest >= 0 and highest <= 65535:
        return scale_16_to_8(samples.astype(np.uint16)), "integers 0..65535 scaled to 8 bit"
    return _stretch(samples.astype(np.float64), lowest, highest), f"integers {lowest}..{highest} stretched to 8 bit"


def scale_floats(samples: NDArray[np.float32]) -> tuple[NDArray[np.uint8], str]:
    """Float grey as 8 bits, and a note: 0..1 scaled, 0..255 rounded, anything else stretched from lowest to highest.

    NaN and -infinity become black, +infinity white; neither counts for the range.
    """
    finite = np.isfinite(samples)
    inside = samples[finite]
    lowest, highest = (float(inside.min()), float(inside.max())) if inside.size else (0.0, 0.0)
    values = np.nan_to_num(samples.astype(np.float64), nan=lowest, posinf=highest, neginf=lowest)
    note = "" if inside.size == samples.size else "; NaN and infinities replaced"
    if lowest >= 0.0 and highest <= 1.0:
        return _stretch(values, 0.0, 1.0), f"floats 0..1 scaled to 8 bit{note}"
    if lowest >= 0.0 and highest <= 255.0:
        return _stretch(values, 0.0, 255.0), f"floats 0..255 rounded to 8 bit{note}"
    return _stretch(values, lowest, highest), f"floats {lowest:.6g}..{highest:.6g} stretched to 8 bit{note}"


def _stretch(values: NDArray[np.float64], lowest: float, highest: float) -> NDArray[np.uint8]:
    # ^ halves first: highest - lowest of two huge floats would overflow
    span = highest / 2 - lowest / 2
    if span == 0:
        return np.zeros(values.shape, np.uint8)
    return np.rint((values / 2 - lowest / 2) / span * 255).clip(0, 255).astype(np.uint8)
