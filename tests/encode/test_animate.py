"""Sweeps as GIF, WebP and APNG."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from flat_builders import color_counts, patchy_flat, patchy_labels, random_palette, sizes, soft_disc
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from flatpipe.encode import lzw
from flatpipe.encode.animate import (
    encode_gif,
    encode_lossless,
    frame_side,
    gif_colors,
    shrink_alpha,
    shrink_labels,
    shrink_pixels,
    shrunk_size,
)
from flatpipe.encode.lzw import lzw_blocks
from flatpipe.errors import UnsupportedImage
from flatpipe.quantize.dither import dithered
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import AnimationOptions
from flatpipe.vocabulary import AnimationFormat

Pixels = NDArray[np.uint8]
lossless_formats = st.sampled_from(["webp", "apng"])


def as_pillow_reads(content: bytes) -> list[tuple[Pixels, float]]:
    """RGBA pixels and milliseconds of each frame."""
    with Image.open(io.BytesIO(content)) as image:
        return [(np.asarray(frame.convert("RGBA")), frame.info["duration"]) for frame in ImageSequence.Iterator(image)]


def as_imageio_reads(content: bytes) -> list[Pixels]:
    return list(iio.imiter(content, mode="RGBA"))


def loops_for_ever(content: bytes) -> bool:
    with Image.open(io.BytesIO(content)) as image:
        return bool(image.info["loop"] == 0)


# --- GIF -------------------------------------------------------------------------------------------------------------


@given(sizes, st.lists(color_counts, min_size=1, max_size=4))
def test_gif_frames_decode_to_their_palettes(size: tuple[int, int], counts: list[int]) -> None:
    """Every frame of a GIF is read by Pillow and by imageio as exactly palette[label_map], in order."""
    frames = [patchy_flat(*size, n_colors, seed) for seed, n_colors in enumerate(counts)]
    content = encode_gif(frames[:-1], frames[-1], None, AnimationOptions())
    assert loops_for_ever(content)
    for read in ([pixels for pixels, _ in as_pillow_reads(content)], as_imageio_reads(content)):
        assert len(read) == len(frames)
        for pixels, frame in zip(read, frames, strict=True):
            assert (pixels[..., :3] == frame.flat).all()
            assert (pixels[..., 3] == 255).all()


@given(sizes, st.lists(st.sampled_from([1, 2, 3, 15, 16, 255]), min_size=1, max_size=3))
def test_gif_alpha_is_cut_at_half(size: tuple[int, int], counts: list[int]) -> None:
    """Pixels under opacity 128 are clear in every frame, the others opaque and exact."""
    alpha = soft_disc(*size)
    frames = [patchy_flat(*size, n_colors, seed) for seed, n_colors in enumerate(counts)]
    content = encode_gif(frames[:-1], frames[-1], alpha, AnimationOptions())
    for read in ([pixels for pixels, _ in as_pillow_reads(content)], as_imageio_reads(content)):
        for pixels, frame in zip(read, frames, strict=True):
            shown = alpha >= 128
            assert (pixels[..., 3] == shown * 255).all()
            assert (pixels[shown][:, :3] == frame.flat[shown]).all()


def test_gif_leaves_room_for_the_clear_color() -> None:
    """256 colours beside clear pixels: the rarest colour gives way to its neighbour, nothing else changes."""
    palette = np.stack([np.arange(256)] * 3, axis=1).astype(np.uint8)
    labels = np.repeat(np.arange(256, dtype=np.uint8), 4).reshape(32, 32).copy()
    labels[labels == 77] = 200
    labels[0, 0], labels[-1, -1] = 77, 1
    alpha = np.full((32, 32), 255, dtype=np.uint8)
    alpha[5, 5] = 0
    content = encode_gif([], PaletteImage(palette, labels), alpha, AnimationOptions())
    ((pixels, _),) = as_pillow_reads(content)
    assert gif_colors(alpha) == 255
    wanted = labels.copy()
    wanted[0, 0] = 76
    assert (pixels[..., 0] == wanted)[alpha > 0].all()


def test_gif_durations_are_rounded_to_hundredths() -> None:
    """Milliseconds become the nearest 1/100 s, at least 2 of them."""
    frame = patchy_flat(4, 4, 3)
    for asked, told in ((400, 400), (404, 400), (405, 410), (1, 20), (1_000_000, 655_350)):
        ((_, duration),) = as_pillow_reads(encode_gif([], frame, None, AnimationOptions(hold_ms=asked)))
        assert duration == told


@given(st.binary(min_size=1, max_size=3000), st.integers(0, 8))
def test_lzw_survives_any_labels(labels: bytes, bits: int) -> None:
    """Whatever the labels, Pillow decodes the compressed stream to them."""
    values = np.frombuffer(labels, dtype=np.uint8)[np.newaxis] & np.uint8((1 << bits) - 1)
    palette = np.stack([np.arange(1 << bits)] * 3, axis=1).astype(np.uint8)
    ((pixels, _),) = as_pillow_reads(encode_gif([], PaletteImage(palette, values), None, AnimationOptions()))
    assert (pixels[..., 0] == values).all()


@pytest.mark.parametrize("n_colors", [2, 4, 16, 256])
def test_lzw_restarts_its_codes(n_colors: int) -> None:
    """Noise that fills the code table many times over is decoded exactly."""
    labels = np.random.default_rng(0).integers(0, n_colors, (300, 400), dtype=np.uint8)
    frame = PaletteImage(random_palette(n_colors), labels)
    assert len(lzw_blocks(labels, n_colors)) > labels.size * (n_colors.bit_length() - 1) // 8
    ((pixels, _),) = as_pillow_reads(encode_gif([], frame, None, AnimationOptions()))
    assert (pixels[..., :3] == frame.palette[labels]).all()


def test_lzw_is_compiled_once() -> None:
    """Read-only and writable labels share one compiled kernel: a second would cost its compile time in the run."""
    labels = patchy_labels(6, 8, 3)
    lzw_blocks(labels, 3)
    labels.flags.writeable = False
    lzw_blocks(labels, 3)
    assert len(lzw._write_codes.signatures) == 1


# --- WebP and APNG ---------------------------------------------------------------------------------------------------


@given(sizes, lossless_formats, st.booleans())
def test_lossless_frames_are_exact(size: tuple[int, int], format_: AnimationFormat, has_alpha: bool) -> None:
    """Each flat frame and the original come back exactly, opacity and the colours under zero opacity included."""
    frames = [patchy_flat(*size, n_colors, n_colors) for n_colors in (2, 5, 16)]
    original = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    alpha = soft_disc(*size) if has_alpha else None
    content = encode_lossless(iter(frames), original, alpha, AnimationOptions(format=format_))
    opacity = np.full(size, 255, dtype=np.uint8) if alpha is None else alpha
    wanted = [frame.flat for frame in frames] + [original]
    for read in ([pixels for pixels, _ in as_pillow_reads(content)], as_imageio_reads(content)):
        for pixels, rgb in zip(read, wanted, strict=True):
            assert (pixels == np.dstack((rgb, opacity))).all()


# --- all formats -----------------------------------------------------------------------------------------------------


def encoded(frames: Iterator[PaletteImage], original: PaletteImage, options: AnimationOptions) -> bytes:
    if options.format == "gif":
        return encode_gif(frames, original, None, options)
    return encode_lossless(frames, original.flat, None, options)


@pytest.mark.parametrize("format_", ["gif", "webp", "apng"])
def test_equal_frames_stay_apart(format_: AnimationFormat) -> None:
    """An image of few colours has equal frames: each is kept, so that frame i is always the i-th k, at its time."""
    frame = patchy_flat(20, 30, 3)
    options = AnimationOptions(format=format_, frame_ms=400, hold_ms=1500)
    content = encoded(iter([frame] * 4), frame, options)
    assert [duration for _, duration in as_pillow_reads(content)] == [400, 400, 400, 400, 1500]
    assert len(as_imageio_reads(content)) == 5
    assert loops_for_ever(content)


@pytest.mark.parametrize("format_", ["gif", "webp", "apng"])
def test_bytes_depend_on_the_frames_alone(format_: AnimationFormat) -> None:
    """The same frames give the same bytes, whether their arrays are contiguous and writable or not."""
    frame, options = patchy_flat(21, 33, 6), AnimationOptions(format=format_)
    view = PaletteImage(frame.palette, np.asfortranarray(frame.label_map))
    view.label_map.flags.writeable = False
    assert encoded(iter([frame]), frame, options) == encoded(iter([view]), view, options)


@pytest.mark.parametrize(("format_", "limit"), [("gif", 65535), ("webp", 16383)])
def test_a_side_too_long_for_the_format_is_an_image_error(format_: AnimationFormat, limit: int) -> None:
    """frame_side keeps frames within what the format holds; larger frames are refused in words."""
    options = AnimationOptions(format=format_, max_side=None)
    assert frame_side(options) == limit
    assert frame_side(AnimationOptions(format=format_, max_side=100)) == 100
    longest = PaletteImage(random_palette(1), np.zeros((1, limit), dtype=np.uint8))
    assert as_pillow_reads(encoded(iter(()), longest, options))[0][0].shape == (1, limit, 4)
    longer = PaletteImage(random_palette(1), np.zeros((1, limit + 1), dtype=np.uint8))
    with pytest.raises(UnsupportedImage, match=f"{limit} pixels a side"):
        encoded(iter(()), longer, options)


def test_a_real_sweep_reads_back() -> None:
    """A photograph's sweep as GIF: every flat frame as its palette says, and the original near the source."""
    photograph = iio.imread(Path(__file__).parents[2] / "data" / "kodim23.png")[:256, :384]
    flats = [flatten_pixels(photograph, k) for k in (2, 7, 15)]
    content = encode_gif(flats, dithered(photograph, gif_colors(None)), None, AnimationOptions())
    *read, last = as_imageio_reads(content)
    assert all((pixels[..., :3] == flat.flat).all() for pixels, flat in zip(read, flats, strict=True))
    assert np.abs(last[..., :3].astype(float) - photograph).mean() < 8


# --- sizes -----------------------------------------------------------------------------------------------------------

sides = st.integers(1, 70000)


@given(sides, sides, st.integers(1, 5000))
def test_shrunk_size_keeps_the_aspect(height: int, width: int, max_side: int) -> None:
    """No side exceeds max_side, none is lost, none grows, and the aspect is right to half a pixel."""
    small_height, small_width = shrunk_size(height, width, max_side)
    assert max(small_height, small_width) == min(max_side, max(height, width))
    assert 1 <= small_height <= height
    assert 1 <= small_width <= width
    shrink = max(small_height, small_width) / max(height, width)
    assert abs(small_height - height * shrink) <= (0.5 if small_height > 1 else 1)
    assert abs(small_width - width * shrink) <= (0.5 if small_width > 1 else 1)


@given(sizes, st.integers(1, 60))
def test_labels_are_taken_under_the_centres(size: tuple[int, int], max_side: int) -> None:
    """Each pixel of a shrunk label map is the label at its centre; one that fits is not touched."""
    labels = patchy_labels(*size, 9)
    small = shrink_labels(labels, max_side)
    height, width = small.shape
    assert (height, width) == shrunk_size(*size, max_side)
    for y, x in np.ndindex(small.shape):
        assert small[y, x] == labels[int((y + 0.5) * size[0] / height), int((x + 0.5) * size[1] / width)]
    assert shrink_labels(labels, None) is labels


def test_pixels_shrink_to_their_mean_look() -> None:
    """Shrunk pixels have the size of the shrunk labels; a fine checkerboard becomes its mean."""
    board = (np.indices((400, 600)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = shrink_pixels(np.dstack([board] * 3), 60)
    assert small.shape == (*shrink_labels(board, 60).shape, 3)
    assert small.dtype == np.uint8
    assert np.abs(small.astype(int) - 128).max() <= 2


def test_hidden_colors_do_not_bleed() -> None:
    """Where red lies under zero opacity beside opaque blue, no shown pixel of the shrunk picture turns red."""
    pixels = np.zeros((100, 100, 3), dtype=np.uint8)
    pixels[:, :47, 0], pixels[:, 47:, 2] = 255, 255
    alpha = np.zeros((100, 100), dtype=np.uint8)
    alpha[:, 47:] = 255
    small, opacity = shrink_pixels(pixels, 20, alpha), shrink_alpha(alpha, 20)
    assert small[opacity > 0][:, 0].max() == 0
    assert shrink_pixels(pixels, 20)[opacity > 0][:, 0].max() > 0
