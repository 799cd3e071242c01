"""sRGB and the spaces in which distance can be measured.

Every space is given in whole numbers, so that sums over pixels are exact and the order of adding does not matter:
`rgb` is the 8-bit colour itself, `oklab` is Oklab times 2^15 (an 8-bit level of grey is about 128 units).
Oklab: Bjoern Ottosson, "A perceptual color space for image processing", 2020. sRGB: IEC 61966-2-1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.options import Space

OKLAB_UNIT = 1 << 15
# ^ the least power of two at which every 8-bit colour comes back from the space unchanged
LEVEL_SIZE: dict[Space, float] = {"rgb": 1.0, "oklab": 128.0}
# ^ about one 8-bit level, in units of the space

RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_RGB_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = np.array([0.95047, 1.0, 1.08883])
_LAB_TO_LMS = np.linalg.inv(LMS_TO_LAB)
_LMS_TO_RGB = np.linalg.inv(RGB_TO_LMS)


def to_space(colors: NDArray[np.uint8], space: Space) -> NDArray[np.int32]:
    """Return the coordinates of sRGB `colors` (n, 3) uint8 in `space`, (n, 3) int32."""
    if space == "rgb":
        return colors.astype(np.int32)
    return np.rint(srgb_to_oklab(colors) * OKLAB_UNIT).astype(np.int32)


def from_space(means: NDArray[np.float64], space: Space) -> NDArray[np.uint8]:
    """Return the 8-bit sRGB colours nearest to `means` (n, 3), coordinates in `space`; (n, 3) uint8.

    A mean without colour in Oklab, such as that of greys, comes out as a grey: halfway between two levels, last bits
    would round the three channels apart.
    """
    levels = means if space == "rgb" else oklab_to_srgb(means / OKLAB_UNIT)
    if space == "oklab":
        is_grey = (means[:, 1:] == 0).all(axis=1, keepdims=True)
        levels = np.where(is_grey, levels[:, 1:2], levels)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def lightness(colors: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the Oklab lightness of sRGB `colors` (n, 3) uint8, (n,) int32 in units of 1 / 2^15."""
    return to_space(colors, "oklab")[:, 0]


@kernel
def lightness_of(red: np.uint8, green: np.uint8, blue: np.uint8) -> np.int64:
    """Return the same of one colour. No colour's is nearer than 7e-9 to where it would be rounded otherwise."""
    r, g, b = _LINEAR[red], _LINEAR[green], _LINEAR[blue]
    total = 0.0
    for i in range(3):
        total += LMS_TO_LAB[0, i] * np.cbrt(RGB_TO_LMS[i, 0] * r + RGB_TO_LMS[i, 1] * g + RGB_TO_LMS[i, 2] * b)
    return np.int64(np.rint(total * OKLAB_UNIT))


def srgb_to_oklab(colors: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return Oklab (L 0..1, a, b) of 8-bit sRGB `colors` (n, 3); (n, 3) float64."""
    linear = _LINEAR[colors]
    lab: NDArray[np.float64] = np.cbrt(linear @ RGB_TO_LMS.T) @ LMS_TO_LAB.T
    return lab


def oklab_to_srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sRGB levels (0..255, beyond it outside the gamut, not rounded) of Oklab `lab` (n, 3); (n, 3) float64."""
    return srgb_levels((lab @ _LAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T)


def srgb_to_lab(colors: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return CIE Lab (white point D65, 2 degrees) of 8-bit sRGB `colors` (n, 3); (n, 3) float64. CIE 15:2004."""
    relative = _LINEAR[colors] @ _RGB_TO_XYZ.T / _WHITE
    curved = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    x, y, z = curved.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def mixed(before: NDArray[np.uint8], after: NDArray[np.uint8], part: int, of: int) -> NDArray[np.uint8]:
    """Return what lies `part` / `of` of the way from one array of 8-bit sRGB levels to another, in linear light.

    Counted in whole numbers: every machine gets the same levels.
    """
    light = _LIGHT[before] * np.uint32(of - part)
    light += _LIGHT[after] * np.uint32(part)
    light += np.uint32(of // 2)
    light //= np.uint32(of)
    levels: NDArray[np.uint8] = _LEVEL_OF_LIGHT[light]
    return levels


def contrast(colors: NDArray[np.uint8], with_color: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the contrast ratio (1 to 21) of sRGB `colors` (n, 3) with one (1, 3), (n,) float64. WCAG 2.2, glossary."""
    both = [1 / 20 + _LIGHT[those] @ _LUMINANCE / _LUMINANCE.sum() / 0xFFFF for those in (colors, with_color)]
    ratios: NDArray[np.float64] = np.maximum(*both) / np.minimum(*both)
    return ratios


def srgb_levels(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sRGB levels (0..255, not rounded) of linear light (0..1); of what is beyond, where the curve goes."""
    curved = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curved) * 255


def linear_light(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the linear light (0..1) of sRGB values (0..1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


_LUMINANCE = np.array([2126, 7152, 722])
# ^ parts of red, green and blue in how light a colour looks, in whole numbers: sums are exact
_LINEAR = linear_light(np.arange(256) / 255)
_LIGHT = np.rint(_LINEAR * 0xFFFF).astype(np.uint32)
# ^ linear light of each 8-bit level, 0..65535: the darkest levels are 20 apart
_LEVEL_OF_LIGHT = np.searchsorted(linear_light((np.arange(255) + 0.5) / 255) * 0xFFFF, np.arange(1 << 16)).astype(
    np.uint8
)
# ^ the nearest level of each linear light
