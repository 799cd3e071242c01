"""A sweep as one file: the flat frames in order, then the original, as GIF, WebP or APNG bytes."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.errors import UnsupportedImage
from flatpipe.records import AnimationFormat, AnimationOptions

_LARGEST_SIDE: dict[AnimationFormat, int] = {"gif": 65535, "webp": 16383, "apng": 2**31 - 1}
_OPAQUE_FROM = 128
# ^ GIF pixels are shown or not: those of lower opacity are not
GIF_COLORS = 256


@dataclass(frozen=True, slots=True)
class FlatFrame:
    """One picture of few colours: palette (n, 3) uint8, label_map (h, w) uint8."""

    palette: NDArray[np.uint8]
    label_map: NDArray[np.uint8]


# --- sizes -----------------------------------------------------------------------------------------------------------


def frame_side(options: AnimationOptions) -> int:
    """The longest side, in pixels, that frames may have: max_side, or what the format can hold."""
    return min(options.max_side or _LARGEST_SIDE[options.format], _LARGEST_SIDE[options.format])


def shrunk_size(height: int, width: int, max_side: int | None) -> tuple[int, int]:
    """(height, width) with no side over max_side, aspect kept, each at least 1; never larger than given."""
    longest = max(height, width)
    if max_side is None or longest <= max_side:
        return height, width
    small_height, small_width = ((2 * side * max_side + longest) // (2 * longest) for side in (height, width))
    return max(1, small_height), max(1, small_width)


def shrink_labels(label_map: NDArray[np.uint8], max_side: int | None) -> NDArray[np.uint8]:
    """The label map (H, W) at frame size: each pixel takes the label under its centre, so no colour is invented."""
    height, width = label_map.shape
    small_height, small_width = shrunk_size(height, width, max_side)
    if (small_height, small_width) == (height, width):
        return label_map
    rows = (2 * np.arange(small_height) + 1) * height // (2 * small_height)
    columns = (2 * np.arange(small_width) + 1) * width // (2 * small_width)
    small: NDArray[np.uint8] = label_map[rows].take(columns, axis=1)
    return small


def shrink_alpha(alpha: NDArray[np.uint8], max_side: int | None) -> NDArray[np.uint8]:
    """Opacity (H, W) at frame size: that of the very pixel from which `shrink_labels` takes the label."""
    return shrink_labels(alpha, max_side)


def shrink_pixels(
    pixels: NDArray[np.uint8], max_side: int | None, alpha: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) at frame size, resampled with Lanczos; with alpha (H, W), hidden colours do not bleed."""
    height, width = pixels.shape[:2]
    small_height, small_width = shrunk_size(height, width, max_side)
    if (small_height, small_width) == (height, width):
        return pixels
    image = Image.fromarray(pixels if alpha is None else np.dstack((pixels, alpha)))
    small = image.resize((small_width, small_height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.ascontiguousarray(np.asarray(small)[..., :3])


# --- GIF -------------------------------------------------------------------------------------------------------------


def gif_colors(alpha: NDArray[np.uint8] | None) -> int:
    """How many colours the original's frame may have in a GIF: 256, or 255 beside transparency."""
    return GIF_COLORS - (_hidden(alpha) is not None)


def encode_gif(
    frames: Iterable[FlatFrame], original: FlatFrame, alpha: NDArray[np.uint8] | None, options: AnimationOptions
) -> bytes:
    """The sweep as GIF, looping for ever: each flat frame for frame_ms, then the original for hold_ms.

    Every frame has its own colour table and decodes to exactly its palette's colours. Frames, original and alpha have
    one size; the original has at most `gif_colors(alpha)` colours. Pixels of alpha < 128 are transparent.
    Durations are rounded to 1/100 s, the format's unit. Raises UnsupportedImage when a side exceeds 65535.
    """
    height, width = original.label_map.shape
    _check_side(height, width, "gif")
    hidden = _hidden(alpha)
    parts = [b"GIF89a", struct.pack("<HHBBB", width, height, 0x70, 0, 0), _GIF_LOOP]
    parts += [_gif_frame(frame, hidden, options.frame_ms) for frame in frames]
    parts += [_gif_frame(original, hidden, options.hold_ms), b";"]
    return b"".join(parts)


_GIF_LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
# ^ application extension: repeat without end


def _hidden(alpha: NDArray[np.uint8] | None) -> NDArray[np.bool_] | None:
    """Which pixels (h, w) a GIF leaves out; None when it shows all."""
    hidden = None if alpha is None else alpha < _OPAQUE_FROM
    return hidden if hidden is not None and hidden.any() else None


def _gif_frame(frame: FlatFrame, hidden: NDArray[np.bool_] | None, duration_ms: int) -> bytes:
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
        _lzw(labels, max(2, bits)), b"\0",
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


def _lzw(labels: NDArray[np.uint8], code_bits: int) -> bytes:
    """GIF's compressed image data: the code size, then sub-blocks, without the closing empty block."""
    image = Image.fromarray(labels)
    encoder = Image._getencoder("L", "gif", "L", (code_bits, 0))
    encoder.setimage(image.im, (0, 0, *image.size))
    blocks, ended = [bytes([code_bits])], 0
    while not ended:
        _, ended, data = encoder.encode(1 << 20)
        blocks.append(data)
    encoder.cleanup()
    return b"".join(blocks)


# --- WebP and APNG ---------------------------------------------------------------------------------------------------


def encode_lossless(
    frames: Iterable[FlatFrame],
    original: NDArray[np.uint8],
    alpha: NDArray[np.uint8] | None,
    options: AnimationOptions,
) -> bytes:
    """The sweep as WebP or APNG, every frame exact, looping for ever: flats for frame_ms, the original for hold_ms.

    original (h, w, 3) uint8 and alpha (h, w) uint8 or None, of the frames' size; the opacity is kept in every frame.
    Raises UnsupportedImage when a side exceeds what the format holds.
    """
    height, width = original.shape[:2]
    _check_side(height, width, options.format)
    images = [Image.fromarray(rgb if alpha is None else np.dstack((rgb, alpha))) for rgb in _expanded(frames, original)]
    durations = [options.frame_ms] * (len(images) - 1) + [options.hold_ms]
    target = io.BytesIO()
    if options.format == "webp":
        images[0].save(target, "WEBP", save_all=True, append_images=images[1:], duration=durations, loop=0,
                       lossless=True, exact=True, quality=0, method=0)  # fmt: skip
    else:
        images[0].save(target, "PNG", save_all=True, append_images=images[1:], duration=durations, loop=0)
    return target.getvalue()


def _expanded(frames: Iterable[FlatFrame], original: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for frame in frames:
        yield frame.palette[frame.label_map]
    yield original


def _check_side(height: int, width: int, format_: AnimationFormat) -> None:
    largest = _LARGEST_SIDE[format_]
    if max(height, width) > largest:
        raise UnsupportedImage(
            f"{format_} holds at most {largest} pixels a side, a frame has {width} x {height}: set animation.max_side"
        )
