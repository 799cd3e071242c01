"""What every animation is made of: flat frames and the original, at one size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.quantize.color_table import IndexedImage, index_colors
from flatpipe.quantize.flatten import flatten_to
from flatpipe.quantize.options import FlattenOptions
from flatpipe.quantize.palette_image import PaletteImage

Alpha = NDArray[np.uint8] | None
# ^ (h, w) opacity, where an image has one
Picture = PaletteImage | NDArray[np.uint8]
# ^ what a frame shows: few colours, or pixels (h, w, 3)


@dataclass(frozen=True, slots=True)
class Original:
    """The image that was flattened, as the last frame of its sweep."""

    pixels: NDArray[np.uint8]
    # ^ (h, w, 3)
    alpha: Alpha = None
    # ^ (h, w) opacity, which all frames of the sweep share
    counted: IndexedImage | None = None
    # ^ these very pixels by their colours, where they have been counted already

    @property
    def indexed(self) -> IndexedImage:
        """The pixels by their colours."""
        return index_colors(self.pixels, self.alpha) if self.counted is None else self.counted

    @property
    def canvas(self) -> Canvas:
        """What the frames of its sweep have in common."""
        height, width = self.pixels.shape[:2]
        return Canvas(height, width, self.alpha is not None)

    @property
    def nbytes(self) -> int:
        """Bytes held by pixels and opacity."""
        return self.pixels.nbytes + (0 if self.alpha is None else self.alpha.nbytes)


@dataclass(frozen=True, slots=True)
class Canvas:
    """What all frames of a sweep have in common."""

    height: int
    width: int
    has_alpha: bool


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame as its format has it."""

    content: bytes
    milliseconds: int
    # ^ for which it is shown


def pixels_of(picture: Picture) -> NDArray[np.uint8]:
    """The pixels (h, w, 3) of a picture."""
    return picture.flat if isinstance(picture, PaletteImage) else picture


def with_alpha(picture: Picture, alpha: Alpha) -> NDArray[np.uint8]:
    """A picture's pixels (h, w, 3) with their opacity (h, w), where they have one, as fourth channel."""
    pixels = pixels_of(picture)
    return pixels if alpha is None else np.dstack((pixels, alpha))


def without_rarest(picture: PaletteImage, hidden: NDArray[np.bool_] | None = None) -> PaletteImage:
    """A picture without the colour that fewest pixels have, of those that show; these take the nearest other colour."""
    palette, labels = picture.palette, picture.label_map
    rarest = int(
        np.argmin(np.bincount(labels.reshape(-1) if hidden is None else labels[~hidden], minlength=len(palette)))
    )
    squared = ((palette.astype(np.int64) - palette[rarest].astype(np.int64)) ** 2).sum(axis=1)
    squared[rarest] = squared.max() + 1
    new_label = np.arange(len(palette))
    new_label[rarest] = np.argmin(squared)
    new_label -= new_label > rarest
    return PaletteImage(np.delete(palette, rarest, axis=0), new_label.astype(np.uint8)[labels])


# --- sizes -----------------------------------------------------------------------------------------------------------


def shrunk_size(height: int, width: int, max_side: int | None) -> tuple[int, int]:
    """(height, width) with no side over max_side, aspect kept, each at least 1; never larger than given."""
    longest = max(height, width)
    if max_side is None or longest <= max_side:
        return height, width
    small_height, small_width = ((2 * side * max_side + longest) // (2 * longest) for side in (height, width))
    return max(1, small_height), max(1, small_width)


def shrink_flat(flat: PaletteImage, max_side: int | None) -> PaletteImage:
    """A flat image at frame size: each pixel takes the colour under its centre, so none is invented.

    One that fits comes back as it is.
    """
    small = _taken_at_centres(flat.label_map, max_side)
    return flat if small is flat.label_map else PaletteImage(flat.palette, small)


def frame_flat(flat: PaletteImage, original: Original, max_side: int | None, options: FlattenOptions) -> PaletteImage:
    """A flat image at frame size, as `options` give pixels their colours; `original` has that size.

    Where flats are dithered it is the original, dithered anew in the flat's colours: single pixels of a pattern would
    make another one, up to black for grey. A flat that fits comes back as it is.
    """
    if options.dither == "none":
        return shrink_flat(flat, max_side)
    if flat.label_map.shape == original.pixels.shape[:2]:
        return flat
    return flatten_to(original.indexed, flat.palette, options)


def shrink_original(original: Original, max_side: int | None, image: Image.Image | None = None) -> Original:
    """The original at frame size, resampled with Lanczos; hidden colours do not bleed.

    The opacity is that of the pixels from which `shrink_flat` takes the colours. One that fits comes back as it is.
    `image` is the same original as Pillow holds it, if it does: to make it anew takes as long as to shrink it.
    """
    height, width = original.pixels.shape[:2]
    small_height, small_width = shrunk_size(height, width, max_side)
    if (small_height, small_width) == (height, width):
        return original
    whole = image or Image.fromarray(with_alpha(original.pixels, original.alpha))
    small = whole.resize((small_width, small_height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    pixels = np.ascontiguousarray(np.asarray(small)[..., :3])
    return Original(pixels, None if original.alpha is None else _taken_at_centres(original.alpha, max_side))


def _taken_at_centres(values: NDArray[np.uint8], max_side: int | None) -> NDArray[np.uint8]:
    """Values (H, W) at frame size: each that which lies under the new pixel's centre."""
    height, width = values.shape
    small_height, small_width = shrunk_size(height, width, max_side)
    if (small_height, small_width) == (height, width):
        return values
    rows = (2 * np.arange(small_height) + 1) * height // (2 * small_height)
    columns = (2 * np.arange(small_width) + 1) * width // (2 * small_width)
    small: NDArray[np.uint8] = values[rows].take(columns, axis=1)
    return small
