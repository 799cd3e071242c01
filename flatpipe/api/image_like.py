"""Whatever a caller holds as an image -> its sRGB pixels and opacity."""

from __future__ import annotations

import os
import re
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.decode.apart.decoding import Decoding
from flatpipe.decode.background import composited
from flatpipe.encode.frames import Original
from flatpipe.errors import ConfigError, ImageIOFailed
from flatpipe.places import place_of
from flatpipe.settings import DecodePolicy
from flatpipe.storage.reading import read_file

ImageLike: TypeAlias = "str | os.PathLike[str] | bytes | NDArray[np.uint8] | Image.Image"

_EIGHT_BIT = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr", "HSV")
# ^ Pillow's modes that it converts to RGB exactly; CMYK and Lab would need their profile, deeper ones lose bits


def original_of(image: ImageLike, alpha: str) -> Original:
    """The image as sRGB pixels and opacity, None where all is opaque.

    A file is decoded as in a run (turned upright, its profile applied); of an array or a Pillow image the values are
    taken as sRGB. `alpha` is "keep", or the background "#rrggbb".

    Raises ConfigError for what is no image, ImageError for a file that cannot be read or decoded.
    """
    if alpha != "keep" and not re.fullmatch("#[0-9a-fA-F]{6}", alpha):
        raise ConfigError(f"alpha must be 'keep' or a background such as '#ffffff', not {alpha!r}")
    if isinstance(image, np.ndarray | Image.Image):
        original = _of_array(_array_of(image))
        if alpha == "keep" or original.alpha is None:
            return original
        return Original(composited(original.pixels, original.alpha, alpha))
    if not isinstance(image, str | bytes | os.PathLike):
        raise ConfigError(f"an image is a path, bytes, an array or a Pillow image, not {type(image).__name__}")
    content = image if isinstance(image, bytes) else _read(os.fspath(image))
    decoded = Decoding().decode(content, DecodePolicy(alpha=alpha))
    # ^ apart where it may take long: then Ctrl-C is heard
    return Original(decoded.pixels, decoded.alpha)


def _read(path: str) -> bytes:
    try:
        return read_file(place_of(path, ""))
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


def _of_array(array: NDArray[Any]) -> Original:
    is_color = array.ndim == 3 and array.shape[2] in (3, 4)
    if array.dtype != np.uint8 or not (is_color or array.ndim == 2) or array.size == 0:
        shape = " x ".join(map(str, array.shape))
        raise ConfigError(f"an array must be (H, W), (H, W, 3) or (H, W, 4) of uint8, not {shape} of {array.dtype}")
    if array.ndim == 2:
        return Original(np.ascontiguousarray(np.repeat(array[:, :, None], 3, axis=2)))
    pixels = np.ascontiguousarray(array[:, :, :3])
    opacity = np.ascontiguousarray(array[:, :, 3]) if array.shape[2] == 4 else None
    return Original(pixels, None if opacity is None or opacity.min() == 255 else opacity)
