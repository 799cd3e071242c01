"""The pictures that stand for an image on the page: thumbnails for the overview, a preview to compare with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.encode.webp import close_webp
from flatpipe.pictures.encoded import jpeg_bytes, on_checkerboard, png_bytes, shrunk
from flatpipe.quantize.color_space import linear_light, srgb_levels
from flatpipe.quantize.palette_image import PaletteImage

THUMBNAIL_SIDE = 288
# ^ pixels: a card is about 250 wide on the page; the contact sheet's size too, so that one shrinking serves both
PREVIEW_SIDE = 1024
_THUMBNAIL_QUALITY, _PREVIEW_QUALITY = 82, 90
_SMALL = 256 * 256
# ^ pixels up to which the preview is lossless: pixel art must not be smeared, and costs little


def small_picture(pixels: NDArray[np.uint8] | Image.Image, alpha: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Pixels (h, w, 3) with no side over 288, transparency shown as a checkerboard; alpha (h, w), all uint8."""
    small_alpha = None if alpha is None else shrunk(alpha, THUMBNAIL_SIDE)
    return on_checkerboard(shrunk(pixels, THUMBNAIL_SIDE), small_alpha)


def small_mixture(flat: PaletteImage, alpha: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """The same of a dithered flat image, whose colours mix as light does: the mean of levels would be too dark."""
    light = linear_light(flat.palette / 255).astype(np.float32)
    channels = [shrunk(Image.fromarray(light[:, c][flat.label_map]), THUMBNAIL_SIDE) for c in range(3)]
    levels = np.clip(np.rint(srgb_levels(np.stack(channels, axis=2))), 0, 255).astype(np.uint8)
    return on_checkerboard(levels, None if alpha is None else shrunk(alpha, THUMBNAIL_SIDE))


def thumbnail(small: NDArray[np.uint8]) -> bytes:
    """A JPEG of a small picture: it costs a twentieth of WebP's time at these sizes, 0.3 ms against 8 ms."""
    return jpeg_bytes(small, _THUMBNAIL_QUALITY)


def preview(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None) -> tuple[str, bytes]:
    """Suffix and bytes of the original for the page, at most 1024 pixels a side; pixels (h, w, 3), alpha (h, w) uint8.

    PNG when it is small, WebP when it has opacity, else JPEG at quality 90: 2 ms for 768 x 512, where WebP takes 38.
    """
    small = shrunk(pixels, PREVIEW_SIDE)
    small_alpha = None if alpha is None else shrunk(alpha, PREVIEW_SIDE)
    if small.shape[0] * small.shape[1] <= _SMALL:
        return "png", png_bytes(small if small_alpha is None else np.dstack((small, small_alpha)))
    if small_alpha is not None:
        return "webp", close_webp(np.dstack((small, small_alpha)), _PREVIEW_QUALITY)
    return "jpg", jpeg_bytes(small, _PREVIEW_QUALITY)
