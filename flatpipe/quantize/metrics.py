"""The formulas of SSIM and CIEDE2000, for arrays of any size; quality.py applies them to flat images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_WINDOW = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
_WINDOW /= _WINDOW.sum()
# ^ Gaussian of 1.5 pixels, cut at 11: that of the paper


def ssim_map(pixels: NDArray[np.uint8], flat: NDArray[np.uint8]) -> Floats:
    """Return the similarity around each pixel that is at least 5 from every edge, (H - 10, W - 10), mean over channels.

    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.
    """
    x, y = pixels.astype(np.float64), flat.astype(np.float64)
    mean_x, mean_y = _blurred(x), _blurred(y)
    variances = _blurred(x * x) + _blurred(y * y) - mean_x**2 - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    similarity: Floats = (luminance * (2 * covariance + c2) / (variances + c2)).mean(axis=2)
    return similarity


def _blurred(values: Floats) -> Floats:
    """Return `values` (H, W, 3) under the Gaussian window, (H - 10, W - 10, 3): only where the window fits."""
    height, width = values.shape[0] - 10, values.shape[1] - 10
    rows = sum(weight * values[i : i + height] for i, weight in enumerate(_WINDOW))
    blurred: Floats = sum(weight * rows[:, i : i + width] for i, weight in enumerate(_WINDOW))
    return blurred


def ciede2000(first: Floats, second: Floats) -> Floats:
    """Return the CIEDE2000 differences (n,) of CIE Lab colours (n, 3).

    G. Sharma, W. Wu and E. N. Dalal, "The CIEDE2000 color-difference formula", 2005, equations 2 to 22.
    """
    chroma = (np.hypot(first[:, 1], first[:, 2]) + np.hypot(second[:, 1], second[:, 2])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    chroma_1, hue_1 = _polar(first, stretch)
    chroma_2, hue_2 = _polar(second, stretch)
    turn = (hue_2 - hue_1 + 180) % 360 - 180
    colorless = chroma_1 * chroma_2 == 0
    turn = np.where(colorless, 0, turn)
    hue = np.where(colorless, hue_1 + hue_2, _mean_hue(hue_1, hue_2))
    lightness, chroma = (first[:, 0] + second[:, 0]) / 2, (chroma_1 + chroma_2) / 2
    away = (lightness - 50) ** 2
    light_gap = (second[:, 0] - first[:, 0]) / (1 + 0.015 * away / np.sqrt(20 + away))
    chroma_gap = (chroma_2 - chroma_1) / (1 + 0.045 * chroma)
    hue_gap = 2 * np.sqrt(chroma_1 * chroma_2) * _sin(turn / 2) / (1 + 0.015 * chroma * _hue_weight(hue))
    bend = 60 * np.exp(-(((hue - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * _sin(bend)
    squared = light_gap**2 + chroma_gap**2 + hue_gap**2 + rotation * chroma_gap * hue_gap
    return np.sqrt(np.maximum(squared, 0))


def _polar(lab: Floats, stretch: Floats) -> tuple[Floats, Floats]:
    """Return chroma and hue (0..360 degrees) of Lab colours whose a is multiplied by `stretch`."""
    a, b = lab[:, 1] * stretch, lab[:, 2]
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _mean_hue(hue_1: Floats, hue_2: Floats) -> Floats:
    """Return the hue half-way along the shorter arc, 0..360 degrees."""
    total = hue_1 + hue_2
    far = np.abs(hue_1 - hue_2) > 180
    return np.where(far, np.where(total < 360, total + 360, total - 360), total) / 2


def _hue_weight(hue: Floats) -> Floats:
    """Return the factor T of equation 15."""
    return 1 - 0.17 * _cos(hue - 30) + 0.24 * _cos(2 * hue) + 0.32 * _cos(3 * hue + 6) - 0.20 * _cos(4 * hue - 63)


def _sin(degrees: Floats) -> Floats:
    """Return the sine of an angle in degrees."""
    return np.sin(np.radians(degrees))


def _cos(degrees: Floats) -> Floats:
    """Return the cosine of an angle in degrees."""
    return np.cos(np.radians(degrees))
