"""A sweep as one file: the flat frames in order, then the original. The one table of animation formats.

Each frame is encoded by itself, by whoever has it; joining the encoded frames is all that is left to do at the end.
A new format is a word in vocabulary.py, a module here that encodes it, and its row in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flatpipe.encode import apng, gif, webp
from flatpipe.encode.captions import captioned
from flatpipe.encode.frames import Alpha, Canvas, Original
from flatpipe.errors import UnsupportedImage
from flatpipe.layout import widest_k
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import AnimationOptions
from flatpipe.vocabulary import AnimationFormat


@dataclass(frozen=True, slots=True)
class AnimationEncoder:
    """How one format is written."""

    flat: Callable[[PaletteImage, Alpha, AnimationOptions], bytes]
    # ^ a flat frame, which has the original's size and opacity, shown for frame_ms
    last: Callable[[Original, AnimationOptions], bytes]
    # ^ the original, shown for hold_ms
    join: Callable[[Sequence[bytes], Canvas, AnimationOptions], bytes]
    # ^ the file of all frames, the original's at the end; it loops for ever
    largest_side: int
    # ^ pixels that the format can hold


ENCODERS: dict[AnimationFormat, AnimationEncoder] = {
    "gif": AnimationEncoder(gif.flat_frame, gif.last_frame, gif.join_frames, 65535),
    "webp": AnimationEncoder(webp.flat_frame, webp.last_frame, webp.join_frames, 16383),
    "apng": AnimationEncoder(apng.flat_frame, apng.last_frame, apng.join_frames, 2**31 - 1),
}


def frame_side(options: AnimationOptions) -> int:
    """The longest side, in pixels, that frames may have: max_side, or what the format can hold."""
    largest = ENCODERS[options.format].largest_side
    return min(options.max_side or largest, largest)


def encode_animation(flats: Mapping[int, PaletteImage], original: Original, options: AnimationOptions) -> bytes:
    """The sweep: the flats by k from low to high, then the original, in the format that the options name.

    All have one size, none a side over `frame_side`; raises UnsupportedImage when a side exceeds what the format holds.
    """
    _check_size(original.canvas, options)
    widest = widest_k(flats)
    frames = [encode_flat(k, flat, original.alpha, options, widest) for k, flat in flats.items()]
    return join_frames([*frames, encode_last(original, options)], original.canvas, options)


def encode_flat(k: int, flat: PaletteImage, alpha: Alpha, options: AnimationOptions, widest: int) -> bytes:
    """The frame of a flat, captioned where the options say so; `widest` is layout.widest_k of the sweep's ks."""
    frame = captioned(k, flat, alpha, widest) if options.captions else flat
    return ENCODERS[options.format].flat(frame, alpha, options)


def encode_last(original: Original, options: AnimationOptions) -> bytes:
    """The frame of the original."""
    return ENCODERS[options.format].last(original, options)


def join_frames(frames: Sequence[bytes], canvas: Canvas, options: AnimationOptions) -> bytes:
    """The sweep of encoded frames: those of the flats from low k to high, then that of the original."""
    return ENCODERS[options.format].join(frames, canvas, options)


def _check_size(canvas: Canvas, options: AnimationOptions) -> None:
    largest = ENCODERS[options.format].largest_side
    if max(canvas.height, canvas.width) > largest:
        raise UnsupportedImage(
            f"{options.format} holds at most {largest} pixels a side, a frame has {canvas.width} x {canvas.height}: "
            "set animation.max_side"
        )
