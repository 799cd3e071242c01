"""A loaded image of any mode -> its colours as 8-bit L, RGB(A), CMYK or LAB, and its alpha beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.decode.deep_pixels import join_bytes, scale_16_to_8, scale_floats, scale_integers

_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _UNSIGNED = 0, 1
# ^ TIFF tags and values
_DONE = 1
# ^ state of an encoder of Pillow's that has no more to give
_BASE_MODES = frozenset({"L", "RGB", "CMYK", "LAB"})


@dataclass(slots=True)
class Planes:
    """Colours as stored, only reduced to 8 bits, and opacity."""

    color: Image.Image
    # ^ mode L, RGB, CMYK, LAB, or RGBA of which only the colours count
    alpha: NDArray[np.uint8] | None
    # ^ (H, W), None when the image has none
    note: str | None = None
    # ^ how samples of more than 8 bits were mapped, or which colour model was left


def planes_of(image: Image.Image, grey_bits: int = 8, low_bytes: NDArray[np.uint8] | None = None) -> Planes:
    """Planes of a loaded image.

    `grey_bits`: bits per sample of grey in the file, where Pillow's mode does not tell (PNG: of the transparent grey).
    `low_bytes`: the low bytes of a 16-bit colour image whose high bytes `image` holds, (H, W, bands) uint8.
    """
    if low_bytes is not None:
        return _deep_color(image, low_bytes)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep_grey(image, grey_bits)
    if image.mode in ("LA", "La"):
        grey = image.convert("LA")
        return Planes(grey.getchannel("L"), np.asarray(grey.getchannel("A")))
    if image.mode in ("RGBA", "RGBa", "PA") or (image.mode == "P" and image.has_transparency_data):
        colors = image if image.mode == "RGBA" else image.convert("RGBA")
        return Planes(colors, _unpack(colors, "A"))
    return _opaque(image, grey_bits)


def rgb_pixels(color: Image.Image) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) of an image in mode RGB or RGBA, read-only."""
    return _unpack(color, "RGB")


def _unpack(image: Image.Image, bands: str) -> NDArray[np.uint8]:
    """Bands "RGB" or "A" of an image as (H, W, 3) or (H, W): five times faster than convert() or getchannel() first."""
    shape = (image.height, image.width, len(bands)) if len(bands) > 1 else (image.height, image.width)
    return np.frombuffer(_raw(image, bands, math.prod(shape)), np.uint8).reshape(shape)


def _raw(image: Image.Image, bands: str, n_bytes: int) -> bytes:
    """What image.tobytes("raw", bands) returns, in half the time: at once, where that joins pieces of 64 kB."""
    encoder = Image._getencoder(image.mode, "raw", (bands, 0, 1))
    encoder.setimage(image.im, (0, 0, *image.size))
    _, state, content = encoder.encode(n_bytes)
    return content if state == _DONE else image.tobytes("raw", bands)


def _opaque(image: Image.Image, grey_bits: int) -> Planes:
    note = f"{image.mode} converted to RGB" if image.mode in ("YCbCr", "HSV") else None
    base = image
    if image.mode not in _BASE_MODES:
        base = image.convert("L" if image.mode == "1" else "RGB")
    return Planes(base, _alpha_of_key(base, image.info.get("transparency"), grey_bits), note)


def _alpha_of_key(base: Image.Image, key: object, grey_bits: int) -> NDArray[np.uint8] | None:
    """Alpha (H, W) that hides the one colour a PNG or GIF declares transparent; None without such a colour."""
    if base.mode == "L" and isinstance(key, int):
        most = (1 << min(grey_bits, 8)) - 1
        scaled = (key & most) * 255 // most if grey_bits < 8 else key
        # ^ PNG gives the key in the file's own bits, Pillow's pixels are 8 bits
        return _hidden(np.asarray(base) == scaled)
    if base.mode == "RGB" and isinstance(key, tuple) and len(key) == 3:
        return _hidden((np.asarray(base) == np.array(key)).all(axis=-1))
    return None


def _hidden(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(mask, 0, 255).astype(np.uint8)


def _deep_color(image: Image.Image, low_bytes: NDArray[np.uint8]) -> Planes:
    samples = join_bytes(np.asarray(image), low_bytes)
    eight = scale_16_to_8(samples)
    note = "16 bit scaled to 8"
    if image.mode == "RGBA":
        return Planes(Image.fromarray(np.ascontiguousarray(eight[..., :3])), np.ascontiguousarray(eight[..., 3]), note)
    key = image.info.get("transparency")
    alpha = None
    if image.mode == "RGB" and isinstance(key, tuple) and len(key) == 3:
        alpha = _hidden((samples == np.array(key)).all(axis=-1))
    return Planes(Image.fromarray(eight, image.mode), alpha, note)


def grey_alpha_planes(quads: NDArray[np.uint8]) -> Planes:
    """Planes of 16-bit grey with alpha, given as (H, W, 4): grey high, grey low, alpha high, alpha low byte."""
    eight = scale_16_to_8(join_bytes(quads[..., ::2], quads[..., 1::2]))
    return Planes(Image.fromarray(eight[..., 0].copy()), eight[..., 1].copy(), "16 bit scaled to 8")


def _deep_grey(image: Image.Image, grey_bits: int) -> Planes:
    """Planes of a loaded image in mode I;16 (any byte order), I or F."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (grey_bits,))[0]
    if image.mode == "F":
        grey, note = scale_floats(np.asarray(image))
        return Planes(Image.fromarray(grey), None, note)
    if image.mode == "I":
        integers = np.asarray(image)
        unsigned = tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0] == _UNSIGNED
        grey, note = scale_integers(integers.view(np.uint32) if unsigned else integers, bits - (not unsigned))
        return Planes(Image.fromarray(grey), None, note)
    samples = np.asarray(image).astype(np.uint16)
    grey = scale_16_to_8(samples, (1 << bits) - 1)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        grey = 255 - grey
        # ^ Pillow turns 8-bit greys of this kind, but not these
    key = image.info.get("transparency")
    alpha = _hidden(samples == key) if isinstance(key, int) else None
    return Planes(Image.fromarray(grey), alpha, f"{bits} bit scaled to 8")
