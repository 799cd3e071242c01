"""Frames between those of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import imageio.v3 as iio
import numpy as np
import pytest
from animation_readers import as_imageio_reads, as_pillow_reads
from flat_builders import patchy_flat, sizes, soft_disc
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.encode.animation import encode_animation
from flatpipe.encode.frames import Original
from flatpipe.quantize.dithering.last_frame import dithered
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.settings import AnimationOptions
from flatpipe.vocabulary import PictureFormat

FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)
PHOTOGRAPH = iio.imread(Path(__file__).parents[2] / "data" / "kodim23.png")[:256, :384]


def halfway(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The mean of two arrays of sRGB levels in linear light, by the standard's formula, not rounded."""
    encoded = np.stack([before, after]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).mean(axis=0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255


@given(sizes, st.sampled_from(FORMATS), st.booleans())
def test_a_frame_between_two_is_their_mean_in_linear_light(
    size: tuple[int, int], format_: PictureFormat, has_alpha: bool
) -> None:
    """Exact in every format, a GIF of up to 15 x 16 pairs of colours included; the frames of the ks are as without."""
    flats = {k: patchy_flat(*size, k, seed=k) for k in (2, 15, 16)}
    original = patchy_flat(*size, 15).flat
    alpha = soft_disc(*size) if has_alpha else None
    plain, faded = (
        [pixels for pixels, _ in as_pillow_reads(encode_animation(flats, Original(original, alpha), options))]
        for options in (AnimationOptions(format=format_), AnimationOptions(format=format_, fade=1))
    )

    assert len(faded) == 2 * len(plain) - 1
    for frame, between, following in zip(faded[::2], faded[1::2], faded[2::2], strict=False):
        shown = frame[..., 3] > 0
        assert np.array_equal(between[..., 3], frame[..., 3])
        assert np.abs(between - halfway(frame, following))[shown][:, :3].max(initial=0) <= 0.505
    assert all(np.array_equal(frame, same) for frame, same in zip(faded[::2], plain, strict=True))


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("frame_ms", "fade"), [(400, 1), (400, 3), (415, 7), (80, 3), (1000, 19)])
def test_a_k_takes_as_long_as_without_its_fade(format_: PictureFormat, frame_ms: int, fade: int) -> None:
    """frame_ms is for the k and the frames that lead on from it, of which none is too short for a browser."""
    flats = {k: patchy_flat(9, 9, k) for k in (2, 3)}
    options = AnimationOptions(format=format_, frame_ms=frame_ms, fade=fade)
    times = [time for _, time in as_pillow_reads(encode_animation(flats, Original(flats[2].flat), options))]
    of_each_k = [sum(times[start : start + fade + 1]) for start in (0, fade + 1)]

    assert of_each_k == pytest.approx([frame_ms] * 2, abs=5)
    assert len(times) == 2 * (fade + 1) + 1
    assert (min(times), times[-1]) == (options.fade_ms, 1500)
    assert options.fade_ms >= 20


@pytest.mark.parametrize("has_alpha", [False, True])
def test_a_gif_of_too_many_pairs_takes_the_colors_nearest_to_them(has_alpha: bool) -> None:
    """More pairs than a table holds are clustered to as many colours as it does: close, and never more."""
    before, after = flatten_pixels(PHOTOGRAPH, 100), dithered(PHOTOGRAPH[::-1].copy(), 200)
    alpha = soft_disc(*PHOTOGRAPH.shape[:2]) if has_alpha else None
    options = AnimationOptions(fade=1)
    content = encode_animation({100: before, 200: after}, Original(PHOTOGRAPH, alpha), options)
    first, between, second, *_ = as_imageio_reads(content)
    shown = between[..., 3] > 0

    assert 240 < len(np.unique(between[shown], axis=0)) <= 256 - has_alpha
    assert np.array_equal(shown, np.ones_like(shown) if alpha is None else alpha >= 128)
    assert np.abs(between - halfway(first, second))[shown].mean() < 4


def test_fades_end_the_jumps() -> None:
    """From k = 2 to 15 a fifth of a photograph's pixels jump by over 12 levels; with two frames between, few do."""
    flats: dict[int, PaletteImage] = {k: flatten_pixels(PHOTOGRAPH, k) for k in range(2, 16)}
    shares = []
    for fade in (0, 2):
        content = encode_animation(flats, Original(PHOTOGRAPH), AnimationOptions(fade=fade))
        frames = np.stack(as_imageio_reads(content)[: 13 * (fade + 1) + 1]).astype(int)
        shares.append((np.abs(np.diff(frames, axis=0)).max(axis=-1) > 12).mean())

    assert shares[0] > 0.15
    assert shares[1] < 0.08
