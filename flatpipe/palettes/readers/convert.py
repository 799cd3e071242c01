"""Colours of other spaces as three 8-bit levels of sRGB."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

Levels = tuple[int, int, int]

_D50 = (0.9642956764, 1.0, 0.8251046025)
# ^ the white of Adobe's Lab, and of ICC profiles
_TO_LINEAR_SRGB = (
    (3.1341359569, -1.6172863907, -0.4906889480),
    (-0.9787955459, 1.9162543775, 0.0334427356),
    (0.0719550380, -0.2289768060, 1.4053860588),
)
# ^ XYZ of D50 to linear sRGB, adapted by Bradford: CSS Color 4, "Sample code for color conversions"
_KINK, _SLOPE = 216 / 24389, 24389 / 27
# ^ CIE 15: where Lab's cube root ends, and the slope of the line below it


@dataclass(frozen=True, slots=True)
class Converted:
    """A colour that may lie outside sRGB."""

    levels: Levels
    is_clipped: bool


def of_unit(red: float, green: float, blue: float) -> Levels:
    """Levels of parts, each 0..1; what lies outside is cut off."""
    return _level(red), _level(green), _level(blue)


def of_gray(lightness: float) -> Levels:
    """Levels of a grey, 0 black to 1 white, as encoded."""
    return of_unit(lightness, lightness, lightness)


def of_hsb(hue: float, saturation: float, brightness: float) -> Levels:
    """Levels of hue, saturation and brightness, each 0..1."""
    return of_unit(*colorsys.hsv_to_rgb(hue, saturation, brightness))


def of_cmyk(cyan: float, magenta: float, yellow: float, black: float) -> Levels:
    """Levels of inks, each 0..1, by the plain formula: without a profile nobody knows what they look like on paper."""
    light = 1 - black
    return of_unit((1 - cyan) * light, (1 - magenta) * light, (1 - yellow) * light)


def of_lab(lightness: float, a: float, b: float) -> Converted:
    """Levels of CIE L*a*b* under D50, L* 0..100."""
    middle = (lightness + 16) / 116
    roots = (middle + a / 500, middle, middle - b / 200)
    xyz = [white * _cubed(root) for white, root in zip(_D50, roots, strict=True)]
    linear = [sum(row[axis] * xyz[axis] for axis in range(3)) for row in _TO_LINEAR_SRGB]
    encoded = [_encoded(part) for part in linear]
    outside = any(not -0.5 / 255 <= part <= 255.5 / 255 for part in encoded)
    return Converted(of_unit(*encoded), outside)


def _level(part: float) -> int:
    return min(255, max(0, round(part * 255)))


def _cubed(root: float) -> float:
    cube = root**3
    return cube if cube > _KINK else (116 * root - 16) / _SLOPE


def _encoded(part: float) -> float:
    """A linear part with sRGB's curve; IEC 61966-2-1."""
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
