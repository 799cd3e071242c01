"""The contact sheet of an image: the original and some of its flats side by side, with captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from flatpipe.report.pictures.encoded import png_bytes, shrunk

_PANEL_SIDE = 320
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
    sheet = Image.new("RGB", (columns * cell_width + _GAP, rows * cell_height + _GAP), _GROUND)
    draw = ImageDraw.Draw(sheet)
    for place, (panel, picture) in enumerate(zip(panels, pictures, strict=True)):
        left, top = _GAP + place % columns * cell_width, _GAP + place // columns * cell_height
        sheet.paste(Image.fromarray(picture), (left, top))
        below = top + picture.shape[0]
        _draw_strip(draw, panel, left, below + 2, picture.shape[1])
        draw.text((left, below + _STRIP + 6), panel.caption, fill=_INK, font=_font())
    return png_bytes(np.asarray(sheet))


def _columns(n_panels: int, width: int, height: int) -> int:
    return 2 if n_panels == 4 and width > height else n_panels


def _fitted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = _PANEL_SIDE // max(pixels.shape[:2])
    return shrunk(pixels, _PANEL_SIDE) if factor < 2 else pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def _draw_strip(draw: ImageDraw.ImageDraw, panel: Panel, left: int, top: int, width: int) -> None:
    if panel.palette is None:
        return
    ends = np.rint(np.cumsum((0.0, *panel.shares)) * width).astype(int).tolist()
    for color, begin, end in zip(panel.palette.tolist(), ends, ends[1:], strict=False):
        if end > begin:
            draw.rectangle((left + begin, top, left + end - 1, top + _STRIP - 3), fill=tuple(color))


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(15)
