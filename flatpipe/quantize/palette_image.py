"""The record of an image in few colours: a palette, and each pixel's row of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.knee import psnr
from flatpipe.quantize.options import MAX_K


@dataclass(frozen=True, eq=False)
class FlatColors:
    """The colours that an image became, without its pixels: `palette`, `weights` and `mse` as in FlattenedImage."""

    palette: NDArray[np.uint8]
    weights: NDArray[np.int64]
    mse: float

    @property
    def n_colors(self) -> int:
        """Colours of the palette."""
        return len(self.palette)

    @property
    def hex_colors(self) -> tuple[str, ...]:
        """The palette as "#rrggbb"."""
        return hex_colors(self.palette)


def hex_colors(palette: NDArray[np.uint8]) -> tuple[str, ...]:
    """Return the colours (n, 3) uint8 as "#rrggbb"."""
    digits = palette.tobytes().hex()
    return tuple([f"#{digits[i : i + 6]}" for i in range(0, len(digits), 6)])


@dataclass(frozen=True, eq=False)
class PaletteImage:
    """An image in few colours: `palette` (n_colors, 3) uint8; `label_map` (H, W) uint8: palette row of each pixel.

    Raises ValueError for arrays that are not so, a label without its colour included: the whole check of a 16 MP image
    takes 0.2 ms.
    """

    palette: NDArray[np.uint8]
    label_map: NDArray[np.uint8]

    def __post_init__(self) -> None:
        palette, label_map = self.palette, self.label_map
        if palette.dtype != np.uint8 or palette.shape[1:] != (3,) or not 1 <= len(palette) <= MAX_K:
            raise ValueError(f"a palette is (1 to {MAX_K}, 3) uint8, not {palette.shape} {palette.dtype}")
        if label_map.dtype != np.uint8 or label_map.ndim != 2 or label_map.size == 0:
            raise ValueError(f"a label map is (H, W) uint8 and not empty, not {label_map.shape} {label_map.dtype}")
        if len(palette) < MAX_K and (largest := int(label_map.max())) >= len(palette):
            raise ValueError(f"label {largest} has no colour in a palette of {len(palette)}")

    @property
    def flat(self) -> NDArray[np.uint8]:
        """The recoloured image, (H, W, 3) uint8."""
        return self.palette[self.label_map]

    @property
    def n_colors(self) -> int:
        """Colours of the palette."""
        return len(self.palette)

    @property
    def hex_colors(self) -> tuple[str, ...]:
        """The palette as "#rrggbb"."""
        return hex_colors(self.palette)


@dataclass(frozen=True, eq=False)
class FlattenedImage(PaletteImage):
    """What an image became in at most k colours, and how far that is from it.

    A palette found for it runs from dark to light, each colour the rounded mean of its pixels; one that was given has
    its own order, and colours that no pixel has. `weights` (n_colors,) int64: counted pixels (or opacity) per palette
    colour; `mse`: mean over counted pixels of the squared RGB distance to the palette colour, summed over channels, in
    8-bit levels.
    """

    weights: NDArray[np.int64]
    mse: float
    is_dithered: bool = field(default=False, kw_only=True)
    # ^ whether neighbours of one colour may have become different ones

    @property
    def colors(self) -> FlatColors:
        """The same without the pixels."""
        return FlatColors(self.palette, self.weights, self.mse)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Part of the counted pixels that each palette colour covers, (n_colors,) float64; sums to 1."""
        shares: NDArray[np.float64] = self.weights / self.weights.sum()
        return shares

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio in dB, over all channels; infinite when no colour changed."""
        return psnr(self.mse)
