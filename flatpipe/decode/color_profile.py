"""Colour profiles: any ICC profile's pixels -> sRGB pixels, perceptual intent with black point compensation."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from flatpipe.decode.pillow_guard import DECODER_ERRORS

_SPACES = {"RGB": ("RGB",), "GRAY": ("L",), "CMYK": ("CMYK",), "Lab": ("LAB",)}
# ^ a profile's colour space, and the Pillow modes whose pixels it can describe


@dataclass(frozen=True, slots=True)
class _Conversion:
    """What to do about one profile: nothing at all, a transform, or only a note that it could not be used."""

    transform: ImageCms.ImageCmsTransform | None = None
    mode: str = "RGB"
    # ^ what the pixels must be in before the transform
    note: str | None = None


def convert_to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, str | None]:
    """The image with its colours in sRGB, and a note of what was done (None when nothing was needed).

    `image` is in mode L, RGB, RGBA (its alpha being ignored), CMYK or LAB; it comes back as RGB or RGBA. A profile that
    is broken, or made for other pixels, is ignored with a note.
    """
    mode = "RGB" if image.mode == "RGBA" else image.mode
    conversion = _conversion(profile, mode) if profile else _without_profile(mode)
    if conversion.transform is None:
        return (image if mode == "RGB" else image.convert("RGB")), conversion.note
    if image.mode != conversion.mode:
        image = image.convert(conversion.mode)
    converted = conversion.transform.apply(image)
    return converted, conversion.note


def _without_profile(mode: str) -> _Conversion:
    notes = {"CMYK": "CMYK converted to sRGB without a profile", "LAB": "LAB converted to sRGB"}
    return _Conversion(note=notes.get(mode))


@lru_cache(maxsize=32)
# ^ the photos of a collection share a handful of profiles; building a transform takes longer than reading a thumbnail
def _conversion(profile: bytes, mode: str) -> _Conversion:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = opened.profile.xcolor_space.strip()
        name = _printable(ImageCms.getProfileDescription(opened)) or space
        if mode not in _SPACES.get(space, ()) and not (space == "RGB" and mode == "L"):
            return _Conversion(
                note=f"colour profile ignored: it describes {_printable(space)} pixels, these are {mode}"
            )
        working_mode = "RGB" if space == "RGB" else mode
        transform = _build(opened, working_mode)
        if working_mode != "CMYK" and working_mode != "LAB" and _changes_nothing(transform, working_mode):
            return _Conversion()
        return _Conversion(transform, working_mode, f"colours converted from {name} to sRGB")
    except DECODER_ERRORS as error:
        return _Conversion(note=f"broken colour profile ignored ({type(error).__name__})")


def _build(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.PERCEPTUAL,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether the profile is sRGB under whatever name: no colour of a lattice moves by more than one level."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "RGB":
        lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    else:
        lattice = np.repeat(steps, 3).reshape(1, -1, 3)
    before = Image.fromarray(lattice)
    after = transform.apply(before if mode == "RGB" else before.convert("L"))
    return int(np.abs(np.asarray(after, np.int16) - lattice).max()) <= 1


def _printable(text: str) -> str:
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:60]
