"""A sweep as one file: the flat frames in order, then the original, as GIF, WebP or APNG bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.encode.lzw import lzw_blocks
from flatpipe.encode.png import SIGNATURE, chunk, chunks
from flatpipe.errors import UnsupportedImage
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import AnimationOptions
from flatpipe.vocabulary import AnimationFormat

_LARGEST_SIDE: dict[AnimationFormat, int] = {"gif": 65535, "webp": 16383, "apng": 2**31 - 1}
_OPAQUE_FROM = 128
# ^ GIF pixels are shown or not: those of lower opacity are not
GIF_COLORS = 256
_APNG_LEVEL = 2
# ^ level 1 is no faster, level 6 takes 2.5 times as long for a tenth less

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


def shrink_flat(flat: PaletteImage, max_side: int | None) -> PaletteImage:
    """A flat image at frame size, by `shrink_labels`."""
    return PaletteImage(flat.palette, shrink_labels(flat.label_map, max_side))


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
    frames: Iterable[PaletteImage], original: PaletteImage, alpha: NDArray[np.uint8] | None, options: AnimationOptions
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


def _gif_frame(frame: PaletteImage, hidden: NDArray[np.bool_] | None, duration_ms: int) -> bytes:
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


# --- WebP and APNG ---------------------------------------------------------------------------------------------------


def encode_lossless(
    frames: Iterable[PaletteImage],
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
    pictures = _pictures(frames, original, alpha)
    timed = ((picture, options.frame_ms if flat else options.hold_ms) for picture, flat in pictures)
    if options.format == "webp":
        return _webp(timed, width, height, alpha is not None)
    return _apng(timed, width, height, alpha is not None)


def _pictures(
    frames: Iterable[PaletteImage], original: NDArray[np.uint8], alpha: NDArray[np.uint8] | None
) -> Iterator[tuple[NDArray[np.uint8], bool]]:
    """Each frame as (h, w, 3 or 4), and whether it is flat; one at a time, since they are large."""
    for frame in frames:
        yield frame.flat if alpha is None else np.dstack((frame.flat, alpha)), True
    yield original if alpha is None else np.dstack((original, alpha)), False


def _webp(timed: Iterable[tuple[NDArray[np.uint8], int]], width: int, height: int, has_alpha: bool) -> bytes:
    """Lossless WebP of pictures and milliseconds. Source: the WebP container specification, "Extended file format"."""
    size = _u24(width - 1) + _u24(height - 1)
    flags = bytes([0x02 | 0x10 * has_alpha, 0, 0, 0])
    # ^ animation; alpha
    blocks = [_riff(b"VP8X", flags + size), _riff(b"ANIM", bytes(6))]
    # ^ ANIM: background transparent black, repeat without end
    for picture, duration_ms in timed:
        still = iio.imwrite("<bytes>", picture, extension=".webp", lossless=True, exact=True, method=0, quality=0)
        # ^ exact: colours under zero opacity stay; method 0: a third of the time for a tenth more bytes
        place = bytes(6) + size + _u24(min(duration_ms, 0xFFFFFF)) + b"\x02"
        # ^ 2: the frame replaces what is there, opacity included
        blocks.append(_riff(b"ANMF", place + still[12:]))
    return _riff(b"RIFF", b"WEBP" + b"".join(blocks))


def _riff(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def _u24(value: int) -> bytes:
    return value.to_bytes(3, "little")


def _apng(timed: Iterable[tuple[NDArray[np.uint8], int]], width: int, height: int, has_alpha: bool) -> bytes:
    """Animated PNG of pictures and milliseconds. Source: PNG specification, third edition, 11.3.6."""
    parts: list[bytes] = []
    n_frames = n_chunks = 0
    for picture, duration_ms in timed:
        still = iio.imwrite("<bytes>", picture, extension=".png", compress_level=_APNG_LEVEL)
        content = b"".join(payload for kind, payload in chunks(still) if kind == b"IDAT")
        control = struct.pack(">5I2H2B", n_chunks, width, height, 0, 0, *_delay(duration_ms), 0, 0)
        parts.append(chunk(b"fcTL", control))
        parts.append(chunk(b"fdAT", struct.pack(">I", n_chunks + 1) + content) if n_frames else chunk(b"IDAT", content))
        n_chunks += 2 if n_frames else 1
        n_frames += 1
    header = struct.pack(">IIBBBBB", width, height, 8, 6 if has_alpha else 2, 0, 0, 0)
    head = [SIGNATURE, chunk(b"IHDR", header), chunk(b"acTL", struct.pack(">II", n_frames, 0))]
    return b"".join([*head, *parts, chunk(b"IEND", b"")])


def _delay(duration_ms: int) -> tuple[int, int]:
    """Duration as a fraction of a second whose parts fit into 16 bits."""
    return (duration_ms, 1000) if duration_ms <= 0xFFFF else (min((duration_ms + 500) // 1000, 0xFFFF), 1)


def _check_side(height: int, width: int, format_: AnimationFormat) -> None:
    largest = _LARGEST_SIDE[format_]
    if max(height, width) > largest:
        raise UnsupportedImage(
            f"{format_} holds at most {largest} pixels a side, a frame has {width} x {height}: set animation.max_side"
        )
