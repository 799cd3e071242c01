"""A sweep as one file: the flat frames in order, then the original. The one table of animation formats.

Each frame is encoded by itself, by whoever has it; fading from one to the next and joining them is left to the end.
A new format is a word in vocabulary.py, a module here that encodes it, and its row in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flatpipe.encode import apng, gif, video, webp
from flatpipe.encode.captions import captioned, captioned_original
from flatpipe.encode.frames import Alpha, Canvas, EncodedFrame, Original, Picture
from flatpipe.errors import UnsupportedImage
from flatpipe.layout import widest_k
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.settings import AnimationOptions
from flatpipe.vocabulary import AnimationFormat


@dataclass(frozen=True, slots=True)
class AnimationEncoder:
    """How one format is written."""

    shown: Callable[[Original], Picture]
    # ^ the original as the format can show it
    frame: Callable[[Picture, Alpha, int], EncodedFrame]
    # ^ a flat of the original's size and opacity, or what `shown` gave, shown for so many milliseconds
    fade: Callable[[Picture, Picture, Alpha, int, int], list[EncodedFrame]]
    # ^ between two such pictures: how many frames, and for how many milliseconds each
    join: Callable[[Sequence[EncodedFrame], Canvas], bytes]
    # ^ the file of all frames; it loops for ever
    largest_side: int
    # ^ pixels that the format can hold


ENCODERS: dict[AnimationFormat, AnimationEncoder] = {
    "gif": AnimationEncoder(gif.shown, gif.frame, gif.fade, gif.join_frames, 65535),
    "webp": AnimationEncoder(webp.shown, webp.frame, webp.fade, webp.join_frames, 16383),
    "apng": AnimationEncoder(apng.shown, apng.frame, apng.fade, apng.join_frames, 2**31 - 1),
    "mp4": AnimationEncoder(video.shown, video.frame, video.fade, video.join_mp4, 16382),
    "webm": AnimationEncoder(video.shown, video.frame, video.fade, video.join_webm, 16382),
}


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """A frame of the sweep, encoded, and the picture that a fade from or to it needs; None where there is no fade."""

    encoded: EncodedFrame
    picture: Picture | None

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        held = self.picture.label_map if isinstance(self.picture, PaletteImage) else self.picture
        return len(self.encoded.content) + (0 if held is None else held.nbytes)


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
    pictures = (flat_picture(k, flat, original.alpha, options, widest) for k, flat in flats.items())
    frames = [encode_flat(picture, original.alpha, options) for picture in pictures]
    return join_sweep([*frames, encode_last(original, options)], original, options)


def flat_picture(k: int, flat: PaletteImage, alpha: Alpha, options: AnimationOptions, widest: int) -> PaletteImage:
    """What the frame of a flat shows: the flat, captioned where the options say so.

    `widest` is layout.widest_k of the sweep's ks.
    """
    return captioned(k, flat, alpha, widest) if options.captions else flat


def encode_flat(picture: PaletteImage, alpha: Alpha, options: AnimationOptions) -> ShownFrame:
    """The frame of what `flat_picture` gave."""
    encoded = ENCODERS[options.format].frame(picture, alpha, options.flat_ms)
    return ShownFrame(encoded, picture if options.fade else None)


def encode_last(original: Original, options: AnimationOptions) -> ShownFrame:
    """The frame of the original."""
    encoder = ENCODERS[options.format]
    picture = encoder.shown(original)
    if options.captions:
        picture = captioned_original(picture, original.alpha)
    return ShownFrame(encoder.frame(picture, original.alpha, options.hold_ms), picture if options.fade else None)


def join_sweep(frames: Iterable[ShownFrame], original: Original, options: AnimationOptions) -> bytes:
    """The sweep of encoded frames: those of the flats from low k to high, then that of the original; fades between."""
    encoder = ENCODERS[options.format]
    return encoder.join(list(_with_fades(frames, original.alpha, encoder, options)), original.canvas)


def _with_fades(
    frames: Iterable[ShownFrame], alpha: Alpha, encoder: AnimationEncoder, options: AnimationOptions
) -> Iterator[EncodedFrame]:
    """The frames and those between them; no more than two pictures are held at a time."""
    before: Picture | None = None
    for frame in frames:
        if before is not None and frame.picture is not None:
            yield from encoder.fade(before, frame.picture, alpha, options.fade, options.fade_ms)
        yield frame.encoded
        before = frame.picture


def _check_size(canvas: Canvas, options: AnimationOptions) -> None:
    largest = ENCODERS[options.format].largest_side
    if max(canvas.height, canvas.width) > largest:
        raise UnsupportedImage(
            f"{options.format} holds at most {largest} pixels a side, a frame has {canvas.width} x {canvas.height}: "
            "set animation.max_side"
        )
