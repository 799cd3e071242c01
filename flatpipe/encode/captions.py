"""The k of each frame of a sweep, drawn small in a corner, in the frame's own colours."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from flatpipe.encode.frames import Alpha
from flatpipe.quantize.palette_image import PaletteImage

_SIDE_PER_SCALE = 220
# ^ pixels of the shorter side for each time that the letters, 6 x 11 pixels, are enlarged
_PADDING = 3
# ^ letter pixels around the text
_SPOTS = 5
# ^ places tried along each side, where an image is transparent
_LUMA = np.array([299, 587, 114])


def captioned(k: int, frame: PaletteImage, alpha: Alpha, widest: int) -> PaletteImage:
    """The frame for k with `k = 5` in its lightest colour on a box of its darkest: no colour is added.

    All boxes of a sweep are alike, since all hold `widest`, the k of the sweep that takes most room (layout.widest_k):
    in the lower left corner, or with `alpha` (h, w) where the image is most opaque. Frames of one colour, and those too
    small for the box, come as they are.
    """
    spot = _spot(frame.label_map.shape, _text_mask(f"k = {widest}").shape, alpha)
    return _with_caption(frame, f"k = {k}", spot)


def _spot(shape: tuple[int, ...], text: tuple[int, ...], alpha: Alpha) -> tuple[slice, slice]:
    """Rows and columns of the box in a frame of this shape; empty where there is no room for it."""
    height, width = shape
    scale = _scale(shape)
    box_height, box_width = ((side + 2 * _PADDING) * scale for side in text)
    if box_height > height // 3 or box_width > width:
        return slice(0, 0), slice(0, 0)
    margin = min(2 * scale, (width - box_width) // 2)
    tops = np.linspace(height - box_height - margin, margin, _SPOTS).astype(int)
    lefts = np.linspace(margin, width - box_width - margin, _SPOTS).astype(int)
    spots = [(slice(top, top + box_height), slice(left, left + box_width)) for top in tops for left in lefts]
    return spots[0] if alpha is None else max(spots, key=lambda spot: int(alpha[spot].sum(dtype=np.int64)))


def _with_caption(frame: PaletteImage, text: str, spot: tuple[slice, slice]) -> PaletteImage:
    luma = frame.palette @ _LUMA
    darkest, lightest = int(luma.argmin()), int(luma.argmax())
    labels = frame.label_map.copy()
    box = labels[spot]
    if darkest == lightest or not box.size:
        return frame
    scale = _scale(labels.shape)
    mask = _text_mask(text).repeat(scale, axis=0).repeat(scale, axis=1)
    box[:] = darkest
    top, left = ((side - own) // 2 for side, own in zip(box.shape, mask.shape, strict=True))
    box[top : top + mask.shape[0], left : left + mask.shape[1]][mask] = lightest
    return PaletteImage(frame.palette, labels)


def _scale(shape: tuple[int, ...]) -> int:
    return max(1, round(min(shape) / _SIDE_PER_SCALE))


@lru_cache(maxsize=512)
def _text_mask(text: str) -> NDArray[np.bool_]:
    """Where the text has ink, (rows, columns) bool, cut to its ink: Pillow's bitmap font, the same everywhere."""
    font = ImageFont.load_default_imagefont()
    image = Image.new("1", (6 * len(text) + 4, 16))
    ImageDraw.Draw(image).text((2, 2), text, fill=1, font=font)
    ink = np.asarray(image)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    mask: NDArray[np.bool_] = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return mask
