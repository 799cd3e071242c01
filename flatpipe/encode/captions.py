"""What each frame of a sweep shows, written into a corner of it: `k = 5`, `original`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from flatpipe.encode.frames import Alpha, Picture, without_rarest
from flatpipe.quantize.color_space import contrast
from flatpipe.quantize.options import MAX_K
from flatpipe.quantize.palette_image import PaletteImage

_SIDE_PER_SIZE = 18
# ^ pixels of the shorter side for each of the letters' size: capitals are a twenty-fifth of it high
_SMALLEST = 10
# ^ size in pixels at which the letters can still be told apart
_PADDING = 0.3
# ^ of the size, around the text
_SPOTS = 5
# ^ places tried along each side, where an image is transparent
_LEGIBLE = 4.5
# ^ contrast of text that people with weaker eyes can read: WCAG 2.2, 1.4.3
_BLACK, _WHITE = (np.full((1, 3), level, dtype=np.uint8) for level in (0, 255))


def captioned(k: int, frame: PaletteImage, alpha: Alpha, widest: int) -> PaletteImage:
    """The frame for k with `k = 5` in its lightest colour on a box of its darkest.

    Where these two are too much alike, black or white takes the place of one, as a colour more; of 256 the rarest then
    gives way. All boxes of a sweep are alike, since all have room for as many digits as `widest` has (layout.widest_k):
    in the lower left corner, or with `alpha` (h, w) where the image is most opaque. A frame too small for the box comes
    as it is.
    """
    alike = tuple(f"k = {str(digit) * len(str(widest))}" for digit in range(10))
    letters = _letters(f"k = {k}", alike, _size(frame.label_map.shape))
    spot = _spot(frame.label_map.shape, letters.shape, alpha)
    return _drawn(frame, letters, spot) if spot else frame


def captioned_original(picture: Picture, alpha: Alpha) -> Picture:
    """The original's frame with `original` in such a box, white on black where it has more colours than a palette."""
    shape = picture.label_map.shape if isinstance(picture, PaletteImage) else picture.shape[:2]
    letters = _letters("original", ("original",), _size(shape))
    spot = _spot(shape, letters.shape, alpha)
    if spot is None:
        return picture
    if isinstance(picture, PaletteImage):
        return _drawn(picture, letters, spot)
    pixels = picture.copy()
    pixels[spot] = np.where(letters[..., None], _WHITE, _BLACK)
    return pixels


def _size(shape: tuple[int, ...]) -> int:
    """The letters' size in pixels in a frame of this shape."""
    return max(_SMALLEST, round(min(shape) / _SIDE_PER_SIZE))


def _spot(shape: tuple[int, ...], box: tuple[int, ...], alpha: Alpha) -> tuple[slice, slice] | None:
    """Rows and columns of a box in a frame of this shape; None where there is no room for it."""
    (height, width), (box_height, box_width) = shape, box
    if box_height > height // 3 or box_width > width:
        return None
    margin = min(_size(shape) // 3, (width - box_width) // 2)
    tops = np.linspace(height - box_height - margin, margin, _SPOTS).astype(int)
    lefts = np.linspace(margin, width - box_width - margin, _SPOTS).astype(int)
    spots = [(slice(top, top + box_height), slice(left, left + box_width)) for top in tops for left in lefts]
    return spots[0] if alpha is None else max(spots, key=lambda spot: int(alpha[spot].sum(dtype=np.int64)))


def _drawn(frame: PaletteImage, letters: NDArray[np.bool_], spot: tuple[slice, slice]) -> PaletteImage:
    """The frame with letters in a box."""
    paint = _paint_for(frame)
    labels = paint.frame.label_map.copy()
    labels[spot] = np.where(letters, np.uint8(paint.ink), np.uint8(paint.ground))
    return PaletteImage(paint.frame.palette, labels)


@dataclass(frozen=True, slots=True)
class _Paint:
    """A frame in whose palette stand the two colours of a caption."""

    frame: PaletteImage
    ink: int
    # ^ palette row
    ground: int


def _paint_for(frame: PaletteImage) -> _Paint:
    """The frame, with one colour more where none of its own would be legible."""
    light = contrast(frame.palette, _BLACK)
    darkest, lightest = int(light.argmin()), int(light.argmax())
    if light[lightest] >= _LEGIBLE * light[darkest]:
        return _Paint(frame, lightest, darkest)
    if frame.n_colors == MAX_K:
        return _paint_for(without_rarest(frame))
    is_dark = bool(contrast(frame.palette[[darkest]], _WHITE)[0] >= _LEGIBLE)
    # ^ every colour is legible either in white or on black
    widened = PaletteImage(np.vstack((frame.palette, _WHITE if is_dark else _BLACK)), frame.label_map)
    return _Paint(widened, frame.n_colors, darkest) if is_dark else _Paint(widened, lightest, frame.n_colors)


@lru_cache(maxsize=512)
def _letters(text: str, alike: tuple[str, ...], size: int) -> NDArray[np.bool_]:
    """Where a box has ink, (rows, columns) bool; the box holds each of the texts that are alike.

    Aileron, which Pillow brings with it, laid out without regard to languages, cut at half coverage.
    """
    font = ImageFont.load_default(size)
    bounds = np.array([font.getbbox(other, anchor="ls") for other in alike])
    left, top = bounds[:, :2].min(axis=0)
    right, bottom = bounds[:, 2:].max(axis=0)
    padding = round(_PADDING * size)
    image = Image.new("L", (int(right - left) + 2 * padding, int(bottom - top) + 2 * padding))
    at = (padding - float(left), padding - float(top))
    ImageDraw.Draw(image).text(at, text, fill=255, font=font, anchor="ls")
    letters: NDArray[np.bool_] = np.asarray(image) > 127
    return letters
