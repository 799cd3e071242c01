"""How far a flat image is from its original, by the measures that cost as much as the flat image: SSIM, CIEDE2000.

Pixels weigh as much as they are opaque, as in `FlattenedImage.mse`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.color_space import srgb_to_lab
from flatpipe.quantize.color_table import IndexedImage
from flatpipe.quantize.metrics import ciede2000, ssim_map
from flatpipe.quantize.options import CostlyMetric, EyeMetric
from flatpipe.quantize.palette_image import PaletteImage

Alpha = NDArray[np.uint8] | None

_WINDOW = 11
# ^ pixels that SSIM looks at around each, a side
_BAND, _CHUNK = 32, 1 << 16
# ^ rows, and colours, measured at a time: floats of a whole photograph would fill the memory, and a small band stays
#   in the processor's cache (twice as fast as 256 rows)


def measured(
    names: tuple[CostlyMetric, ...],
    image: IndexedImage,
    flat: PaletteImage | None,
    alpha: Alpha,
    own_mse: Callable[[], float],
) -> tuple[tuple[str, float | None], ...]:
    """Return (name, value) of each of the measures; None where it has no value. `alpha` is (H, W) or None.

    `own_mse` finds the mse that a palette of the image's own leaves; for no other measure `flat` may be None.
    """
    found: list[tuple[str, float | None]] = []
    for name in names:
        if name == "own_mse":
            found.append((name, own_mse()))
        else:
            assert flat is not None
            found.append((name, _MEASURES[name](image, flat, alpha)))
    return tuple(found)


def mean_color_difference(image: IndexedImage, flat: PaletteImage, alpha: Alpha = None) -> float:  # noqa: ARG001 - the image knows it
    """Return the mean CIEDE2000 difference; 1 is about what an eye can just tell apart.

    Pixels of one colour that became the same one share their difference, so it is found once for each such pair.
    """
    colors, total = image.table.colors, 0.0
    for row, color in enumerate(srgb_to_lab(flat.palette)):
        shown = flat.label_map == row
        weights = image.opacity[shown] if image.opacity.size else None
        counts = np.bincount(image.index[shown], weights, minlength=len(colors))
        counted = np.flatnonzero(counts)
        for first in range(0, len(counted), _CHUNK):
            rows = counted[first : first + _CHUNK]
            gaps = ciede2000(srgb_to_lab(colors[rows]), np.broadcast_to(color, (len(rows), 3)))
            total += float(gaps @ counts[rows])
    return total / int(image.table.counts.sum())


def mean_ssim(image: IndexedImage, flat: PaletteImage, alpha: Alpha = None) -> float | None:
    """Return the structural similarity, mean over channels; None for an image narrower or lower than 11 pixels."""
    height, width = image.index.shape
    if min(height, width) < _WINDOW:
        return None
    total, weight, edge = 0.0, 0.0, _WINDOW // 2
    weights = None if alpha is None or not alpha.any() else alpha[edge:-edge, edge:-edge]
    for first in range(0, height - _WINDOW + 1, _BAND):
        rows = slice(first, first + _BAND + _WINDOW - 1)
        similarity = ssim_map(image.table.colors[image.index[rows]], flat.palette[flat.label_map[rows]])
        own = np.ones_like(similarity) if weights is None else weights[first : first + _BAND]
        total += float((similarity * own).sum())
        weight += float(own.sum(dtype=np.float64))
    return total / weight if weight else None


_MEASURES: dict[EyeMetric, Callable[[IndexedImage, PaletteImage, Alpha], float | None]] = {
    "ssim": mean_ssim,
    "ciede2000": mean_color_difference,
}
