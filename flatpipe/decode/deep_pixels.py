"""Samples of more than 8 bits -> 8 bits: scaled and rounded, where Pillow truncates or clips."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
    return _stretch(samples, lowest, highest), f"integers {lowest}..{highest} stretched to 8 bit"


def scale_floats(samples: NDArray[np.float32]) -> tuple[NDArray[np.uint8], str]:
    """Float grey (H, W) as 8 bits, and a note: 0..1 scaled, 0..255 rounded, anything else stretched from low to high.

    NaN and -infinity become black, +infinity white; neither counts for the range.
    """
    lowest, highest, all_finite = _finite_range(samples)
    note = "" if all_finite else "; NaN and infinities replaced"
    if lowest >= 0.0 and highest <= 1.0:
        return _stretch(samples, 0.0, 1.0), f"floats 0..1 scaled to 8 bit{note}"
    if lowest >= 0.0 and highest <= 255.0:
        return _stretch(samples, 0.0, 255.0), f"floats 0..255 rounded to 8 bit{note}"
    return _stretch(samples, lowest, highest), f"floats {lowest:.6g}..{highest:.6g} stretched to 8 bit{note}"


def _finite_range(samples: NDArray[np.float32]) -> tuple[float, float, bool]:
    """Lowest and highest finite sample (0, 0 when there is none), and whether all are finite."""
    lowest, highest, all_finite = np.inf, -np.inf, True
    for rows in _bands(samples):
        finite = rows[np.isfinite(rows)]
        all_finite = all_finite and finite.size == rows.size
        if finite.size:
            lowest, highest = min(lowest, float(finite.min())), max(highest, float(finite.max()))
    return (lowest, highest, all_finite) if lowest <= highest else (0.0, 0.0, all_finite)


def _stretch(samples: NDArray[Any], lowest: float, highest: float) -> NDArray[np.uint8]:
    """Samples (H, W) as uint8, `lowest` being 0 and `highest` 255; all 0 when they are equal."""
    span = highest / 2 - lowest / 2
    # ^ halves first: the difference of two huge floats would overflow
    eight = np.zeros(samples.shape, np.uint8)
    for rows, out in zip(_bands(samples), _bands(eight), strict=True):
        with np.errstate(invalid="ignore"):
            # ^ widening a signalling NaN, of which damaged floats are full
            wide = rows.astype(np.float64)
        values = np.nan_to_num(wide, nan=lowest, posinf=highest, neginf=lowest)
        if span > 0:
            out[...] = np.rint((values / 2 - lowest / 2) / span * 255).clip(0, 255)
    return eight


def _bands(samples: NDArray[Any]) -> Iterator[NDArray[Any]]:
    # ^ a few rows at a time: float64 temporaries of a whole image would take eight times its size
    rows = max(1, (1 << 20) // max(1, samples.shape[1]))
    return (samples[top : top + rows] for top in range(0, samples.shape[0], rows))
