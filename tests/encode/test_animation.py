"""Sweeps in every format."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import imageio.v3 as iio
import numpy as np
import pytest
from animation_readers import as_imageio_reads, as_pillow_reads, loops_for_ever
from flat_builders import patchy_flat, sizes, soft_disc
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.encode.animation import ENCODERS, encode_animation, frame_side
from flatpipe.encode.frames import Original
from flatpipe.errors import UnsupportedImage
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.settings import AnimationOptions
from flatpipe.vocabulary import AnimationFormat, PictureFormat

FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)
lossless_formats = st.sampled_from([word for word in FORMATS if word != "gif"])


def test_every_format_has_its_encoder() -> None:
    """The table has a row for each word of the vocabulary, in its order, and no other."""
    assert tuple(ENCODERS) == get_args(AnimationFormat)


@given(sizes, lossless_formats, st.booleans())
def test_lossless_frames_are_exact(size: tuple[int, int], format_: AnimationFormat, has_alpha: bool) -> None:
    """Each flat frame and the original come back exactly, opacity and the colours under zero opacity included."""
    frames = [patchy_flat(*size, n_colors, n_colors) for n_colors in (2, 5, 16)]
    original = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    alpha = soft_disc(*size) if has_alpha else None
    content = encode_animation(dict(enumerate(frames)), Original(original, alpha), AnimationOptions(format=format_))
    opacity = np.full(size, 255, dtype=np.uint8) if alpha is None else alpha
    wanted = [frame.flat for frame in frames] + [original]
    for read in ([pixels for pixels, _ in as_pillow_reads(content)], as_imageio_reads(content)):
        for pixels, rgb in zip(read, wanted, strict=True):
            assert (pixels == np.dstack((rgb, opacity))).all()


@pytest.mark.parametrize("format_", FORMATS)
def test_equal_frames_stay_apart(format_: AnimationFormat) -> None:
    """An image of few colours has equal frames: each is kept, so that frame i is always the i-th k, at its time."""
    frame = patchy_flat(20, 30, 3)
    options = AnimationOptions(format=format_, frame_ms=400, hold_ms=1500)
    content = encode_animation(dict.fromkeys(range(4), frame), Original(frame.flat), options)
    assert [duration for _, duration in as_pillow_reads(content)] == [400, 400, 400, 400, 1500]
    assert len(as_imageio_reads(content)) == 5
    assert loops_for_ever(content)


@pytest.mark.parametrize("format_", FORMATS)
def test_bytes_depend_on_the_frames_alone(format_: AnimationFormat) -> None:
    """The same frames give the same bytes, whether their arrays are contiguous and writable or not."""
    frame, options = patchy_flat(21, 33, 6), AnimationOptions(format=format_)
    view = PaletteImage(frame.palette, np.asfortranarray(frame.label_map))
    view.label_map.flags.writeable = False
    original, turned = Original(frame.flat), Original(np.asfortranarray(frame.flat))
    assert encode_animation({6: frame}, original, options) == encode_animation({6: view}, turned, options)


@pytest.mark.parametrize(("format_", "limit"), [("gif", 65535), ("webp", 16383)])
def test_a_side_too_long_for_the_format_is_an_image_error(format_: AnimationFormat, limit: int) -> None:
    """frame_side keeps frames within what the format holds; larger frames are refused in words."""
    options = AnimationOptions(format=format_, max_side=None)
    assert frame_side(options) == limit
    assert frame_side(AnimationOptions(format=format_, max_side=100)) == 100
    longest, longer = (Original(np.zeros((1, side, 3), np.uint8)) for side in (limit, limit + 1))
    assert as_pillow_reads(encode_animation({}, longest, options))[0][0].shape == (1, limit, 4)
    with pytest.raises(UnsupportedImage, match=f"{limit} pixels a side"):
        encode_animation({}, longer, options)


def test_a_real_sweep_reads_back() -> None:
    """A photograph's sweep as GIF: every flat frame as its palette says, and the original near the source."""
    photograph = iio.imread(Path(__file__).parents[2] / "data" / "kodim23.png")[:256, :384]
    flats = {k: flatten_pixels(photograph, k) for k in (2, 7, 15)}
    content = encode_animation(flats, Original(photograph), AnimationOptions())
    *read, last = as_imageio_reads(content)
    assert all((pixels[..., :3] == flat.flat).all() for pixels, flat in zip(read, flats.values(), strict=True))
    assert np.abs(last[..., :3].astype(float) - photograph).mean() < 8
