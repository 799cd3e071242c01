"""Frames: their sizes, and the colours that come through."""

from __future__ import annotations

import numpy as np
from flat_builders import patchy_flat, sizes
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flatpipe.encode.frames import Original, shrink_flat, shrink_original, shrunk_size

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
    flat = patchy_flat(*size, 9)
    labels, small = flat.label_map, shrink_flat(flat, max_side).label_map
    height, width = small.shape
    assert (height, width) == shrunk_size(*size, max_side)
    for y, x in np.ndindex(small.shape):
        assert small[y, x] == labels[int((y + 0.5) * size[0] / height), int((x + 0.5) * size[1] / width)]
    assert shrink_flat(flat, None) is flat


def test_pixels_shrink_to_their_mean_look() -> None:
    """Shrunk pixels have the size of the shrunk labels; a fine checkerboard becomes its mean."""
    board = (np.indices((400, 600)).sum(axis=0) % 2 * 255).astype(np.uint8)
    original = Original(np.dstack([board] * 3))
    small = shrink_original(original, 60).pixels
    assert shrink_original(original, 600) is original
    assert (shrink_original(original, 60, Image.fromarray(original.pixels)).pixels == small).all()
    assert small.shape == (*shrunk_size(400, 600, 60), 3)
    assert small.dtype == np.uint8
    assert np.abs(small.astype(int) - 128).max() <= 2


def test_hidden_colors_do_not_bleed() -> None:
    """Where red lies under zero opacity beside opaque blue, no shown pixel of the shrunk picture turns red."""
    pixels = np.zeros((100, 100, 3), dtype=np.uint8)
    pixels[:, :47, 0], pixels[:, 47:, 2] = 255, 255
    alpha = np.zeros((100, 100), dtype=np.uint8)
    alpha[:, 47:] = 255
    small = shrink_original(Original(pixels, alpha), 20)
    assert small.alpha is not None
    assert small.pixels[small.alpha > 0][:, 0].max() == 0
    assert shrink_original(Original(pixels), 20).pixels[small.alpha > 0][:, 0].max() > 0
