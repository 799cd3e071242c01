"""Palettes that were given: in no order of lightness, with colours that no pixel has, and one that is repeated."""

from __future__ import annotations

import io
import json
from typing import get_args

import numpy as np
import pytest
from animation_readers import as_pillow_reads
from flat_builders import patchy_labels, random_palette, soft_disc
from PIL import Image

from flatpipe.encode.animation import encode_animation
from flatpipe.encode.frames import Original
from flatpipe.encode.palettes import PaletteEntry, palettes_json
from flatpipe.encode.png import decode_flat, encode_png
from flatpipe.quantize.palette_image import FlattenedImage
from flatpipe.settings import AnimationOptions
from flatpipe.vocabulary import PictureFormat


def given(n_colors: int) -> FlattenedImage:
    """An image whose pixels have every third colour of its palette; the one before the last stands in it twice."""
    palette = random_palette(n_colors, n_colors)
    palette[-1] = palette[-2]
    labels = (patchy_labels(30, 41, (n_colors + 2) // 3) * 3).astype(np.uint8)
    weights = np.bincount(labels.ravel(), minlength=n_colors)
    assert (weights == 0).any()
    return FlattenedImage(palette, labels, weights, 1.0)


SIZES = [3, 7, 16, 17, 200, 256]


@pytest.mark.parametrize("n_colors", SIZES)
def test_png_holds_the_whole_palette_in_its_order(n_colors: int) -> None:
    """The file's table is the palette, row by row, also colours that no pixel has; with opacity, pixels stay exact."""
    flat = given(n_colors)
    with Image.open(io.BytesIO(encode_png(flat))) as image:
        assert image.getpalette() == flat.palette.ravel().tolist()
        assert np.array_equal(np.asarray(image), flat.label_map)
    for alpha in (soft_disc(30, 41), np.full((30, 41), 255, np.uint8)):
        saved = decode_flat(encode_png(flat, alpha))
        assert np.array_equal(saved.flat, flat.flat)


@pytest.mark.parametrize("n_colors", SIZES)
@pytest.mark.parametrize("captions", [False, True])
@pytest.mark.parametrize("fade", [0, 2])
@pytest.mark.parametrize("format_", get_args(PictureFormat))
def test_frames_of_a_sweep_are_the_flats(n_colors: int, captions: bool, fade: int, format_: PictureFormat) -> None:
    """Every k's frame shows its flat image, apart from a caption's box and the frames that fade."""
    flats = {k: given(n) for k, n in ((2, 3), (5, n_colors), (9, n_colors))}
    original = Original(flats[9].flat, None)
    options = AnimationOptions(format=format_, captions=captions, fade=fade, frame_ms=400)
    frames = as_pillow_reads(encode_animation(flats, original, options))
    stills = [frames[place][0][..., :3] for place in range(0, len(frames), fade + 1)]
    for flat, still in zip((*flats.values(), flats[9]), stills, strict=True):
        differs = (still != flat.flat).any(axis=2)
        assert differs.mean() < (0.6 if captions else 1e-9)


@pytest.mark.parametrize("n_colors", SIZES)
def test_palettes_json_tells_unused_colours_too(n_colors: int) -> None:
    """Each row stands there with its share, 0 where no pixel has it, and with where it comes from."""
    flats = {2: given(3), 9: given(n_colors)}
    entries = [
        PaletteEntry(k, flat.hex_colors, tuple(flat.shares.tolist()), tuple(flat.weights.tolist()), flat.mse)
        for k, flat in flats.items()
    ]
    told = json.loads(palettes_json("a.png", entries))["palettes"][1]["colors"]
    assert [color["hex"] for color in told] == list(flats[9].hex_colors)
    assert sum(color["share"] for color in told) == pytest.approx(1, abs=1e-3)
    assert all(0 <= color["parent"] < 3 for color in told)
    assert sum(not color["new"] for color in told) == min(3, n_colors)
