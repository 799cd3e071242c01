"""The contact sheet of an image: the original and some of its flats side by side, with captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from flatpipe.pictures.encoded import png_bytes, shrunk

PANEL_SIDE = 288
# ^ pixels, longest side of a panel; smaller images are enlarged by a whole factor
_GAP, _STRIP, _CAPTION = 16, 10, 30
_GROUND, _INK = (250, 249, 247), (30, 30, 30)


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of the sheet: pixels (h, w, 3) uint8, and below it a caption and its colours, heaviest as wide."""

    caption: str
    pixels: NDArray[np.uint8]
    palette: NDArray[np.uint8] | None = None
    # ^ (n, 3) uint8, drawn as a strip
    shares: Sequence[float] = ()


def contact_sheet_png(panels: Sequence[Panel]) -> bytes:
    """A PNG of the panels in order, in one row when they are upright and in two when four of them are wide."""
    pictures = [_fitted(panel.pixels) for panel in panels]
    height, width = (max(picture.shape[side] for picture in pictures) for side in (0, 1))
    columns = _columns(len(panels), width, height)
    rows = -(-len(panels) // columns)
    cell_width, cell_height = width + _GAP, height + _STRIP + _CAPTION + _GAP
    sheet = np.full((rows * cell_height + _GAP, columns * cell_width + _GAP, 3), _GROUND, dtype=np.uint8)
    for place, (panel, picture) in enumerate(zip(panels, pictures, strict=True)):
        left, top = _GAP + place % columns * cell_width, _GAP + place // columns * cell_height
        cell = sheet[top : top + cell_height, left : left + width]
        below = picture.shape[0]
        cell[:below, : picture.shape[1]] = picture
        _color_strip(cell[below + 2 : below + _STRIP, : picture.shape[1]], panel)
        cell[below + _STRIP : below + _STRIP + _CAPTION] = _caption(panel.caption, width)
    return png_bytes(sheet)


def _columns(n_panels: int, width: int, height: int) -> int:
    return 2 if n_panels == 4 and width > height else n_panels


def _fitted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = PANEL_SIDE // max(pixels.shape[:2])
    return shrunk(pixels, PANEL_SIDE) if factor < 2 else pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def _color_strip(strip: NDArray[np.uint8], panel: Panel) -> None:
    """Fill a part of the sheet (rows, columns, 3) with the panel's colours, each as wide as its share."""
    if panel.palette is None:
        return
    ends = np.rint(np.cumsum((0.0, *panel.shares)) * strip.shape[1]).astype(int).tolist()
    for color, begin, end in zip(panel.palette, ends, ends[1:], strict=False):
        strip[:, begin:end] = color


def _caption(text: str, width: int) -> NDArray[np.uint8]:
    """A line of text, (30, width, 3) uint8."""
    image = Image.new("RGB", (width, _CAPTION), _GROUND)
    ImageDraw.Draw(image).text((0, 6), text, fill=_INK, font=_font())
    return np.asarray(image)


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(15)
