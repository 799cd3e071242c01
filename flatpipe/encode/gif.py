"""GIF: sweeps in which every flat frame is exact, and the original has 256 colours of its own."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.fade import color_pairs
from flatpipe.encode.frames import Alpha, Canvas, EncodedFrame, Original, Picture, without_rarest
from flatpipe.encode.lzw import lzw_blocks
from flatpipe.quantize.dithering.last_frame import dithered_indexed
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.settings import AnimationOptions

GIF_COLORS = 256
_OPAQUE_FROM = 128
# ^ pixels are shown or not: those of lower opacity are not


def shown(original: Original) -> Picture:
    """The original dithered, with as many colours as the format leaves it."""
    return dithered_indexed(original.indexed, original.pixels, gif_colors(original.alpha))


def frame(picture: Picture, alpha: Alpha, milliseconds: int) -> EncodedFrame:
    """One frame of a GIF, of a picture in few colours."""
    return EncodedFrame(_encoded(_in_few_colors(picture), _hidden(alpha), milliseconds), milliseconds)


def fade(before: Picture, after: Picture, alpha: Alpha, n_frames: int, milliseconds: int) -> list[EncodedFrame]:
    """The frames between two pictures in few colours.

    Exact while a frame can hold a colour for each pair of colours that occurs. Of more, each frame takes those that its
    pixels are clustered to.
    """
    pairs, most = color_pairs(_in_few_colors(before), _in_few_colors(after)), gif_colors(alpha)
    colors = pairs.on_the_way(n_frames)
    if len(pairs.before) > most:
        few = (flatten_pixels(mixed[pairs.pair_map], most, alpha=alpha) for mixed in colors)
        return [frame(picture, alpha, milliseconds) for picture in few]
    return _recolored(pairs.pair_map.astype(np.uint8), colors, len(pairs.before), alpha, milliseconds)


def join_frames(frames: Sequence[EncodedFrame], canvas: Canvas) -> bytes:
    """The GIF of encoded frames, looping for ever."""
    screen = struct.pack("<HHBBB", canvas.width, canvas.height, 0x70, 0, 0)
    return b"".join([b"GIF89a", screen, _LOOP, *(one.content for one in frames), b";"])


def gif_colors(alpha: Alpha) -> int:
    """How many colours a frame may have in a GIF: 256, or 255 beside transparency."""
    return GIF_COLORS - (_hidden(alpha) is not None)


def join_gif(flats: Iterable[PaletteImage], last: PaletteImage, alpha: Alpha, options: AnimationOptions) -> bytes:
    """The GIF of flat frames, each shown for frame_ms, and a last one for hold_ms, looping for ever.

    Every frame has its own colour table and decodes to exactly its palette's colours. All frames and alpha have one
    size. Pixels of alpha < 128 are transparent; beside them the rarest of 256 colours gives way to its neighbour.
    Durations are rounded to 1/100 s, the format's unit.
    """
    height, width = last.label_map.shape
    frames = [frame(flat, alpha, options.frame_ms) for flat in flats]
    return join_frames([*frames, frame(last, alpha, options.hold_ms)], Canvas(height, width, alpha is not None))


_LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
# ^ application extension: repeat without end


def _hidden(alpha: Alpha) -> NDArray[np.bool_] | None:
    """Which pixels (h, w) a GIF leaves out; None when it shows all."""
    hidden = None if alpha is None else alpha < _OPAQUE_FROM
    return hidden if hidden is not None and hidden.any() else None


def _in_few_colors(picture: Picture) -> PaletteImage:
    assert isinstance(picture, PaletteImage), "a GIF's pictures are flats, and what `shown` gives"
    return picture


def _encoded(picture: PaletteImage, hidden: NDArray[np.bool_] | None, milliseconds: int) -> bytes:
    if hidden is not None and picture.n_colors == GIF_COLORS:
        picture = without_rarest(picture, hidden)
    palette, labels = picture.palette, picture.label_map
    head = _head(palette, labels.shape, hidden is not None, milliseconds)
    return head + lzw_blocks(_with_hidden(labels, len(palette), hidden), len(palette) + (hidden is not None))


def _recolored(
    labels: NDArray[np.uint8], palettes: Iterable[NDArray[np.uint8]], n_colors: int, alpha: Alpha, milliseconds: int
) -> list[EncodedFrame]:
    """Frames that differ in their palettes (n_colors, 3) alone, fewer than a frame can hold: compressed once."""
    hidden = _hidden(alpha)
    has_hidden = hidden is not None
    blocks = lzw_blocks(_with_hidden(labels, n_colors, hidden), n_colors + has_hidden)
    heads = (_head(palette, labels.shape, has_hidden, milliseconds) for palette in palettes)
    return [EncodedFrame(head + blocks, milliseconds) for head in heads]


def _with_hidden(labels: NDArray[np.uint8], n_colors: int, hidden: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Labels in which hidden pixels have that behind the last colour's."""
    return labels if hidden is None else np.where(hidden, np.uint8(n_colors), labels)


def _head(palette: NDArray[np.uint8], shape: tuple[int, ...], has_hidden: bool, milliseconds: int) -> bytes:
    """What stands before a frame's pixels; the label behind the palette's last is the transparent one."""
    transparent = len(palette) if has_hidden else 0
    height, width = shape
    bits = max(1, (len(palette) + has_hidden - 1).bit_length())
    table = palette.tobytes().ljust(3 << bits, b"\0")
    control = struct.pack("<BHB", 4 | has_hidden, _centiseconds(milliseconds), transparent)
    # ^ 4: the frame stays when the next one comes, which covers it
    place = struct.pack("<HHHHB", 0, 0, width, height, 0x80 | (bits - 1))
    return b"".join((b"!\xf9\x04", control, b"\0", b",", place, table))


def _centiseconds(duration_ms: int) -> int:
    """Milliseconds rounded to 1/100 s; at least 2, since browsers show anything shorter for 100 ms instead."""
    return min(max(2, (duration_ms + 5) // 10), 65535)
