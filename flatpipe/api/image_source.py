"""Whatever a caller holds as an image -> sRGB pixels and opacity."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.decode.decode import decode
from flatpipe.errors import ConfigError, ImageIOFailed
from flatpipe.records import DecodePolicy
from flatpipe.storage.roots import is_url, read_file

ImageLike: TypeAlias = "str | os.PathLike[str] | bytes | NDArray[np.uint8] | Image.Image"
Planes: TypeAlias = "tuple[NDArray[np.uint8], NDArray[np.uint8] | None]"

_EIGHT_BIT = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr", "HSV")
# ^ Pillow's modes that it converts to RGB exactly; CMYK and Lab would need their profile, deeper ones lose bits


def pixels_of(image: ImageLike, alpha: str) -> Planes:
    """Pixels (H, W, 3) uint8 sRGB and opacity (H, W) uint8, None where all is opaque.

    A file is decoded as in a run (turned upright, its profile applied); of an array or a Pillow image the values are
    taken as sRGB. `alpha` is "keep", or the background "#rrggbb".

    Raises ConfigError for what is no image, ImageError for a file that cannot be read or decoded.
    """
    if alpha != "keep" and not re.fullmatch("#[0-9a-fA-F]{6}", alpha):
        raise ConfigError(f"alpha must be 'keep' or a background such as '#ffffff', not {alpha!r}")
    if isinstance(image, np.ndarray | Image.Image):
        pixels, opacity = _of_array(_array_of(image))
        return (pixels, opacity) if alpha == "keep" or opacity is None else (_composited(pixels, opacity, alpha), None)
    if not isinstance(image, str | bytes | os.PathLike):
        raise ConfigError(f"an image is a path, bytes, an array or a Pillow image, not {type(image).__name__}")
    decoded = decode(image if isinstance(image, bytes) else _read(os.fspath(image)), DecodePolicy(alpha=alpha))
    return decoded.pixels, decoded.alpha


def _read(path: str) -> bytes:
    try:
        return read_file(path if is_url(path) else str(Path(path).expanduser()))
    except OSError as error:
        raise ImageIOFailed(f"{path}: {error.strerror or error}") from error


def _array_of(image: NDArray[Any] | Image.Image) -> NDArray[Any]:
    if isinstance(image, np.ndarray):
        return image
    if image.mode not in _EIGHT_BIT:
        raise ConfigError(
            f"a Pillow image of mode {image.mode} is not read: convert it to RGB, or give the file itself"
        )
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _of_array(array: NDArray[Any]) -> Planes:
    is_color = array.ndim == 3 and array.shape[2] in (3, 4)
    if array.dtype != np.uint8 or not (is_color or array.ndim == 2) or array.size == 0:
        shape = " x ".join(map(str, array.shape))
        raise ConfigError(f"an array must be (H, W), (H, W, 3) or (H, W, 4) of uint8, not {shape} of {array.dtype}")
    if array.ndim == 2:
        return np.ascontiguousarray(np.repeat(array[:, :, None], 3, axis=2)), None
    pixels = np.ascontiguousarray(array[:, :, :3])
    opacity = np.ascontiguousarray(array[:, :, 3]) if array.shape[2] == 4 else None
    return pixels, None if opacity is None or opacity.min() == 255 else opacity


def _composited(pixels: NDArray[np.uint8], opacity: NDArray[np.uint8], background: str) -> NDArray[np.uint8]:
    ground = Image.new("RGB", (pixels.shape[1], pixels.shape[0]), background)
    return np.asarray(Image.composite(Image.fromarray(pixels), ground, Image.fromarray(opacity)))
