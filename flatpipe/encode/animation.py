"""A sweep as one file: the flat frames in order, then the original. The one table of animation formats.

A new format is a word in vocabulary.py, a module here that encodes it, and its row in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from flatpipe.encode.apng import encode_apng
from flatpipe.encode.captions import captioned
from flatpipe.encode.frames import Original
from flatpipe.encode.gif import encode_gif
from flatpipe.encode.webp import encode_webp
from flatpipe.errors import UnsupportedImage
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import AnimationOptions
from flatpipe.vocabulary import AnimationFormat


@dataclass(frozen=True, slots=True)
class AnimationEncoder:
    """How one format is written."""

    encode: Callable[[Iterable[PaletteImage], Original, AnimationOptions], bytes]
    # ^ each flat for frame_ms, then the original for hold_ms, looping for ever; all frames have the original's size
    #   and opacity. Flats come one at a time, in full colour they are large
    largest_side: int
    # ^ pixels that the format can hold


ENCODERS: dict[AnimationFormat, AnimationEncoder] = {
    "gif": AnimationEncoder(encode_gif, 65535),
    "webp": AnimationEncoder(encode_webp, 16383),
    "apng": AnimationEncoder(encode_apng, 2**31 - 1),
}


def frame_side(options: AnimationOptions) -> int:
    """The longest side, in pixels, that frames may have: max_side, or what the format can hold."""
    largest = ENCODERS[options.format].largest_side
    return min(options.max_side or largest, largest)


def encode_animation(flats: Mapping[int, PaletteImage], original: Original, options: AnimationOptions) -> bytes:
    """The sweep: the flats by k from low to high, then the original, in the format that the options name.

    All have one size, none a side over `frame_side`; raises UnsupportedImage when a side exceeds what the format holds.
    """
    encoder = ENCODERS[options.format]
    height, width = original.pixels.shape[:2]
    if max(height, width) > encoder.largest_side:
        raise UnsupportedImage(
            f"{options.format} holds at most {encoder.largest_side} pixels a side, a frame has {width} x {height}: "
            "set animation.max_side"
        )
    frames = captioned(flats, original.alpha) if options.captions else flats.values()
    return encoder.encode(frames, original, options)
