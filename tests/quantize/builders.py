"""Small images and weighted colours for the tests of the core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.pyramid import ColorPyramid, build_pyramid

DATA = Path(__file__).parents[2] / "data"


def noise(seed, height=24, width=32):
    """Pixels without any structure: nearly every one has a colour of its own."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def painting(seed, height=48, width=64, n_blobs=12):
    """Soft blobs of colour with grain on them: thousands of colours in clusters of very different sizes."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    picture = np.zeros((height, width, 3)) + random.uniform(0, 255, 3)
    for _ in range(n_blobs):
        cy, cx, size = random.uniform(0, height), random.uniform(0, width), random.uniform(4, 20)
        cover = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * size**2))[..., None]
        picture = picture * (1 - cover) + random.uniform(0, 255, 3) * cover
    return np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def photograph(name="kodim23", side=None):
    """A photograph of data/, its upper left `side` x `side` pixels if given."""
    pixels = np.asarray(Image.open(DATA / f"{name}.png").convert("RGB"))
    return pixels if side is None else np.ascontiguousarray(pixels[:side, :side])


def pyramid_of(pixels, space="rgb") -> ColorPyramid:
    """The colour pyramid of an image, all pixels counted."""
    return index_colors(pixels).pyramid(space)


def weighted_pyramid(colors, counts, n_pixels=0) -> ColorPyramid:
    """The pyramid of any unique colours with any counts."""
    image = index_colors(np.asarray(colors, np.uint8)[None])
    weights = np.zeros(len(counts), np.int64)
    weights[image.index[0]] = counts
    return build_pyramid(image.table.colors, weights, "rgb", n_pixels)


def distortion(colors, counts, centroids):
    """Sum of count x squared distance to the nearest centroid, by brute force in float64."""
    gaps = np.asarray(colors, float)[:, None] - np.asarray(centroids, float)[None]
    return float(np.asarray(counts) @ (gaps**2).sum(axis=2).min(axis=1))


def mse(pixels, flat) -> float:
    """The mean over pixels of the squared RGB distance of two pictures, summed over channels: the definition."""
    gaps = pixels.astype(np.int64) - flat
    return int((gaps * gaps).sum()) / (pixels.size // 3)
