"""Flat pictures for the tests of what we write."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from flatpipe.quantize.palette_image import PaletteImage


def random_palette(n_colors: int, seed: int = 0) -> NDArray[np.uint8]:
    """Distinct colours (n_colors, 3), in no order."""
    packed = np.random.default_rng(seed).choice(1 << 24, n_colors, replace=False)
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)


def patchy_labels(height: int, width: int, n_colors: int, seed: int = 0) -> NDArray[np.uint8]:
    """A label map (height, width) of patches with some noise; every label occurs when there is room."""
    random = np.random.default_rng(seed)
    patches = random.integers(0, n_colors, (height // 5 + 1, width // 7 + 1))
    labels = patches.repeat(5, axis=0).repeat(7, axis=1)[:height, :width].copy()
    noisy = random.random((height, width)) < 0.1
    labels[noisy] = random.integers(0, n_colors, int(noisy.sum()))
    labels.flat[: min(n_colors, labels.size)] = np.arange(min(n_colors, labels.size))
    return labels.astype(np.uint8)


def patchy_flat(height: int, width: int, n_colors: int, seed: int = 0) -> PaletteImage:
    """A flat image of patches with some noise, in random colours."""
    return PaletteImage(random_palette(n_colors, seed), patchy_labels(height, width, n_colors, seed))


def soft_disc(height: int, width: int) -> NDArray[np.uint8]:
    """Opacity (height, width) from 0 at the corners over all levels to 255 in the middle."""
    rows, columns = np.mgrid[0:height, 0:width]
    distance = np.hypot((rows + 0.5) / height - 0.5, (columns + 0.5) / width - 0.5)
    return np.clip((0.6 - distance) * 600, 0, 255).astype(np.uint8)


sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))
color_counts = st.sampled_from([1, 2, 3, 4, 5, 15, 16, 17, 64, 255, 256])
