"""A flat image in the hands of a worker: its colours, its pixels where something needs them, what its sweep keeps."""

from __future__ import annotations

from dataclasses import replace

from flatpipe.encode.png import encode_png
from flatpipe.quantize.choosing.rows import rgb_of
from flatpipe.quantize.flatten import flat_colors, flat_colors_in, flatten_indexed, flatten_to
from flatpipe.quantize.palette_image import FlatColors, FlattenedImage, PaletteImage
from flatpipe.settings import GivenPalette, TaskSettings
from flatpipe.work.loaded import KeptFlat, LoadedImage
from flatpipe.work.sweep import encode_frame, small_flat

_LARGEST_KEPT = 1 << 20
# ^ bytes of a flat's file: those of a photograph of 2 megapixels and more may be larger
_SMALL_FLAT = 1 << 16
# ^ pixels of a flat that takes longer to decode than its memory is worth


def painted(image: LoadedImage, k: int, settings: TaskSettings) -> FlattenedImage:
    """The image in k colours: its own, or those that it shares with others."""
    given = _given(k, settings)
    if given is None:
        return flatten_indexed(image.indexed, k, settings.flatten)
    return flatten_to(image.indexed, rgb_of(given.colors), settings.flatten)


def colors_alone(image: LoadedImage, k: int, settings: TaskSettings) -> FlatColors:
    """The colours of the same, without its pixels."""
    given = _given(k, settings)
    if given is None:
        return flat_colors(image.indexed, k, settings.flatten)
    return flat_colors_in(image.indexed, rgb_of(given.colors), settings.flatten)


def kept_flat(image: LoadedImage, k: int, flat: PaletteImage, content: bytes, settings: TaskSettings) -> KeptFlat:
    """What the sweep needs of a flat whose file holds `content`, b"" where it has none."""
    small = small_flat(image, flat, settings)
    frame = encode_frame(image, k, small, settings) if settings.animation.enabled else None
    if frame and frame.nbytes - len(frame.encoded.content) > _LARGEST_KEPT:
        frame = replace(frame, picture=None)
    return KeptFlat(frame, _kept(small, content if small is flat else b"", settings))


def _kept(flat: PaletteImage, content: bytes, settings: TaskSettings) -> PaletteImage | bytes | None:
    """What to keep of a flat of the sweep's size, whose file is `content` if it has one: bytes are less than labels."""
    if not settings.pictures:
        return None
    if flat.label_map.nbytes <= _SMALL_FLAT:
        return flat
    content = content or encode_png(flat)
    # ^ half a millisecond each, where reading one of 16 megapixels back takes 90
    return content if len(content) <= _LARGEST_KEPT else None


def _given(k: int, settings: TaskSettings) -> GivenPalette | None:
    return next((palette for palette in settings.given if palette.k == k), None)
