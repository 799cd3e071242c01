"""GIF: sweeps in which every flat frame is exact, and the original has 256 colours of its own."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.frames import Alpha, Canvas, Original
from flatpipe.encode.lzw import lzw_blocks
from flatpipe.quantize.dither import dithered_indexed
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import AnimationOptions

GIF_COLORS = 256
_OPAQUE_FROM = 128
# ^ pixels are shown or not: those of lower opacity are not


def flat_frame(flat: PaletteImage, alpha: Alpha, options: AnimationOptions) -> bytes:
    """One flat frame of a GIF."""
    return _frame(flat, _hidden(alpha), options.frame_ms)


def last_frame(original: Original, options: AnimationOptions) -> bytes:
    """The original as last frame, dithered with as many colours as the format leaves it."""
    dithered = dithered_indexed(original.indexed, original.pixels, gif_colors(original.alpha))
    return _frame(dithered, _hidden(original.alpha), options.hold_ms)


def join_frames(frames: Sequence[bytes], canvas: Canvas, _options: AnimationOptions) -> bytes:
    """The GIF of encoded frames, looping for ever."""
    screen = struct.pack("<HHBBB", canvas.width, canvas.height, 0x70, 0, 0)
    return b"".join([b"GIF89a", screen, _LOOP, *frames, b";"])


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
    frames = [flat_frame(flat, alpha, options) for flat in flats]
    frames.append(_frame(last, _hidden(alpha), options.hold_ms))
    return join_frames(frames, Canvas(height, width, alpha is not None), options)


_LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
# ^ application extension: repeat without end


def _hidden(alpha: Alpha) -> NDArray[np.bool_] | None:
    """Which pixels (h, w) a GIF leaves out; None when it shows all."""
    hidden = None if alpha is None else alpha < _OPAQUE_FROM
    return hidden if hidden is not None and hidden.any() else None


def _frame(frame: PaletteImage, hidden: NDArray[np.bool_] | None, duration_ms: int) -> bytes:
    palette, labels = frame.palette, frame.label_map
    transparent = None
    if hidden is not None:
        if len(palette) == GIF_COLORS:
            palette, labels = _without_rarest(palette, labels, hidden)
        transparent = len(palette)
        labels = np.where(hidden, np.uint8(transparent), labels)
        palette = np.vstack((palette, np.zeros((1, 3), dtype=np.uint8)))
    height, width = labels.shape
    bits = max(1, (len(palette) - 1).bit_length())
    table = palette.tobytes().ljust(3 << bits, b"\0")
    control = struct.pack("<BHB", 4 | (transparent is not None), _centiseconds(duration_ms), transparent or 0)
    # ^ 4: the frame stays when the next one comes, which covers it
    return b"".join((
        b"!\xf9\x04", control, b"\0",
        b",", struct.pack("<HHHHB", 0, 0, width, height, 0x80 | (bits - 1)), table,
        lzw_blocks(labels, len(palette)),
    ))  # fmt: skip


def _centiseconds(duration_ms: int) -> int:
    """Milliseconds rounded to 1/100 s; at least 2, since browsers show anything shorter for 100 ms instead."""
    return min(max(2, (duration_ms + 5) // 10), 65535)


def _without_rarest(
    palette: NDArray[np.uint8], labels: NDArray[np.uint8], hidden: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Palette and labels without the colour that fewest shown pixels have; those take the nearest other colour."""
    rarest = int(np.argmin(np.bincount(labels[~hidden], minlength=len(palette))))
    squared = ((palette.astype(np.int64) - palette[rarest].astype(np.int64)) ** 2).sum(axis=1)
    squared[rarest] = squared.max() + 1
    new_label = np.arange(len(palette))
    new_label[rarest] = np.argmin(squared)
    new_label -= new_label > rarest
    return np.delete(palette, rarest, axis=0), new_label.astype(np.uint8)[labels]
