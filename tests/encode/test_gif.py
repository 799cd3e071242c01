"""Sweeps as GIF."""

from __future__ import annotations

import numpy as np
import pytest
from animation_readers import as_imageio_reads, as_pillow_reads, loops_for_ever
from flat_builders import color_counts, patchy_flat, random_palette, sizes, soft_disc
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.encode.gif import gif_colors, join_gif
from flatpipe.encode.lzw import lzw_blocks
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.settings import AnimationOptions


@given(sizes, st.lists(color_counts, min_size=1, max_size=4))
def test_gif_frames_decode_to_their_palettes(size: tuple[int, int], counts: list[int]) -> None:
    """Every frame of a GIF is read by Pillow and by imageio as exactly palette[label_map], in order."""
    frames = [patchy_flat(*size, n_colors, seed) for seed, n_colors in enumerate(counts)]
    content = join_gif(frames[:-1], frames[-1], None, AnimationOptions())
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
    content = join_gif(frames[:-1], frames[-1], alpha, AnimationOptions())
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
    content = join_gif([], PaletteImage(palette, labels), alpha, AnimationOptions())
    ((pixels, _),) = as_pillow_reads(content)
    assert gif_colors(alpha) == 255
    wanted = labels.copy()
    wanted[0, 0] = 76
    assert (pixels[..., 0] == wanted)[alpha > 0].all()


def test_gif_of_256_colors_is_exact_where_one_is_hidden() -> None:
    """Where one of 256 colours is in clear pixels alone, there is room for what is clear: what shows is exact."""
    palette = np.stack([np.arange(256)] * 3, axis=1).astype(np.uint8)
    labels = np.repeat(np.arange(256, dtype=np.uint8), 4).reshape(32, 32).copy()
    alpha = np.where(labels == 77, 127, 255).astype(np.uint8)
    content = join_gif([], PaletteImage(palette, labels), alpha, AnimationOptions())
    ((pixels, _),) = as_pillow_reads(content)

    assert (pixels[..., 0] == labels)[alpha == 255].all()


def test_gif_durations_are_rounded_to_hundredths() -> None:
    """Milliseconds become the nearest 1/100 s, at least 2 of them."""
    frame = patchy_flat(4, 4, 3)
    for asked, told in ((400, 400), (404, 400), (405, 410), (1, 20), (1_000_000, 655_350)):
        ((_, duration),) = as_pillow_reads(join_gif([], frame, None, AnimationOptions(hold_ms=asked)))
        assert duration == told


@given(st.binary(min_size=1, max_size=3000), st.integers(0, 8))
def test_lzw_survives_any_labels(labels: bytes, bits: int) -> None:
    """Whatever the labels, Pillow decodes the compressed stream to them."""
    values = np.frombuffer(labels, dtype=np.uint8)[np.newaxis] & np.uint8((1 << bits) - 1)
    palette = np.stack([np.arange(1 << bits)] * 3, axis=1).astype(np.uint8)
    ((pixels, _),) = as_pillow_reads(join_gif([], PaletteImage(palette, values), None, AnimationOptions()))
    assert (pixels[..., 0] == values).all()


def test_lzw_joins_the_halves_of_large_frames() -> None:
    """Wherever the first half's last code ends within a byte, and just where codes grow wider, the second follows."""
    palette = random_palette(256)
    for n_noisy in range(385, 425):
        labels = np.zeros((4, 1 << 15), dtype=np.uint8)
        half = labels.size // 2
        labels.flat[half - n_noisy : half] = np.random.default_rng(0).integers(0, 256, n_noisy)
        labels.flat[half + n_noisy :: 977] = 3
        content = join_gif([], PaletteImage(palette, labels), None, AnimationOptions())
        ((pixels, _),) = as_pillow_reads(content)
        assert (pixels[..., :3] == palette[labels]).all()


@pytest.mark.parametrize("size", [(300, 400), (401, 363), (363, 364)])
@pytest.mark.parametrize("n_colors", [2, 4, 16, 256])
def test_lzw_restarts_its_codes(n_colors: int, size: tuple[int, int]) -> None:
    """Noise that fills the code table many times over is decoded exactly, in one piece or, of large frames, in two."""
    labels = np.random.default_rng(0).integers(0, n_colors, size, dtype=np.uint8)
    frame = PaletteImage(random_palette(n_colors), labels)
    assert len(lzw_blocks(labels, n_colors)) > labels.size * (n_colors.bit_length() - 1) // 8
    ((pixels, _),) = as_pillow_reads(join_gif([], frame, None, AnimationOptions()))
    assert (pixels[..., :3] == frame.palette[labels]).all()
