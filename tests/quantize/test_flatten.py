"""The whole algorithm, seen from outside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flatpipe.quantize.color_space import from_space, lightness, to_space
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.flatten import flat_colors, flatten_indexed, flatten_pixels
from flatpipe.quantize.knee import psnr
from flatpipe.quantize.options import FlattenOptions, Solver
from tests.quantize.builders import mse, noise, painting, photograph

OKLAB = FlattenOptions(space="oklab")
SOLVERS = get_args(Solver)
small_images = arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)))


def same(first, second):
    arrays_equal = all(
        np.array_equal(getattr(first, name), getattr(second, name)) for name in ("palette", "label_map", "weights")
    )
    return arrays_equal and first.mse == second.mse


def check_invariants(pixels, k, flat):
    """What holds for every flat image without alpha, in RGB."""
    distinct = len(np.unique(pixels.reshape(-1, 3), axis=0))
    assert flat.n_colors == min(k, distinct) == len(np.unique(flat.palette, axis=0))
    assert flat.mse == mse(pixels, flat.flat)
    assert flat.psnr == psnr(flat.mse)
    assert np.array_equal(flat.weights, np.bincount(flat.label_map.ravel(), minlength=flat.n_colors))
    assert flat.shares.sum() == pytest.approx(1)
    assert (np.diff(lightness(flat.palette)) >= 0).all()
    gaps = ((pixels[:, :, None].astype(int) - flat.palette.astype(int)) ** 2).sum(axis=3)
    painted = np.take_along_axis(gaps, flat.label_map[:, :, None].astype(int), axis=2)[:, :, 0]
    assert np.array_equal(painted, gaps.min(axis=2))
    for row, color in enumerate(flat.palette):
        assert np.array_equal(np.rint(pixels[flat.label_map == row].mean(axis=0)), color)


@settings(max_examples=80, deadline=None)
@given(small_images, st.integers(1, 40))
def test_invariants_on_any_small_image(pixels, k):
    """min(k, distinct) colours from dark to light, each the rounded mean of its pixels and the nearest to them all."""
    check_invariants(pixels, k, flatten_pixels(pixels, k))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("k", [1, 2, 15, 256])
@pytest.mark.parametrize("build", [noise, painting], ids=["noise", "painting"])
def test_invariants_for_every_solver(build, k, solver):
    """The same holds whichever solver found the clusters."""
    pixels = build(50)
    check_invariants(pixels, k, flatten_pixels(pixels, k, FlattenOptions(solver=solver)))


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((3, 4, 3), np.uint8),
        np.full((3, 4, 3), 255, np.uint8),
        np.array([[[10, 10, 10], [10, 10, 11]]], np.uint8),
        np.array([[[7, 8, 9]]], np.uint8),
        np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3),
    ],
    ids=["black", "white", "one level apart", "one pixel", "all greys"],
)
@pytest.mark.parametrize("space", ["rgb", "oklab"])
def test_edges(pixels, space):
    """Extreme and tiny images: no more colours than there are, and exact once k allows it."""
    distinct = len(np.unique(pixels.reshape(-1, 3), axis=0))
    for k in (1, 2, distinct, 256):
        flat = flatten_pixels(pixels, k, FlattenOptions(space=space))
        assert flat.n_colors <= min(k, distinct)
        if k >= distinct:
            assert np.array_equal(flat.flat, pixels)
            assert flat.mse == 0


@pytest.mark.parametrize(("k", "n_colors"), [(199, 199), (200, 200), (201, 200)])
def test_k_around_the_number_of_colors(k, n_colors):
    """One colour fewer than there are, as many, one more: as many as there are, and exact, once k allows it."""
    packed = np.random.default_rng(51).choice(1 << 24, (10, 20), replace=False)
    pixels = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=2).astype(np.uint8)
    flat = flatten_pixels(pixels, k)
    assert flat.n_colors == n_colors
    assert np.array_equal(flat.flat, pixels) == (k >= 200)


@pytest.mark.parametrize("k", [0, 257, -1])
def test_k_out_of_range_is_refused(k):
    """k below 1 or above 256 is an error that names the range."""
    with pytest.raises(ValueError, match="from 1 to 256"):
        flatten_pixels(noise(0), k)


def test_crowded_colors_keep_k_distinct_palette_colors():
    """300 colours side by side in a corner of the cube: rounding makes centroids coincide, and k colours come out."""
    levels = np.stack(np.meshgrid(np.arange(7), np.arange(7), np.arange(7)), axis=-1).reshape(49, 7, 3)
    for k in (100, 200, 256):
        check_invariants(levels.astype(np.uint8), k, flatten_pixels(levels.astype(np.uint8), k))


@pytest.mark.parametrize("space", ["rgb", "oklab"])
def test_order_of_asking_does_not_matter(space):
    """Each k gives the same result asked first, last, twice, or alone."""
    options = FlattenOptions(space=space)
    pixels = painting(52)
    alone = {k: flatten_pixels(pixels, k, options) for k in (2, 5, 15, 40)}
    shared = index_colors(pixels)
    for k in (40, 2, 15, 5, 15, 40):
        assert same(flatten_indexed(shared, k, options), alone[k])


def test_threads_do_not_matter():
    """Four threads that flatten one image for different k at once get what one thread gets."""
    pixels = photograph("kodim03", side=256)
    ks = [k for k in range(2, 14) for _ in range(2)]
    alone = {k: flatten_pixels(pixels, k) for k in set(ks)}
    for _ in range(3):
        shared = index_colors(pixels)
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda k, image=shared: flatten_indexed(image, k), ks))
        assert all(same(flat, alone[k]) for k, flat in zip(ks, found, strict=True))


@pytest.mark.parametrize("solver", SOLVERS)
def test_shuffled_pixels_get_the_same_palette(solver):
    """Where a pixel lies does not matter: palette, weights and mse stay."""
    pixels = painting(53)
    shuffled = np.random.default_rng(0).permutation(pixels.reshape(-1, 3)).reshape(pixels.shape)
    options = FlattenOptions(solver=solver)
    first, second = flatten_pixels(pixels, 8, options), flatten_pixels(shuffled, 8, options)
    assert np.array_equal(first.palette, second.palette)
    assert np.array_equal(first.weights, second.weights)
    assert first.mse == second.mse


def test_opacity_weighs():
    """Pixels of opacity n weigh as n opaque copies would; the mse is weighted alike."""
    pixels, copies = painting(54, 16, 16), np.random.default_rng(1).integers(1, 4, (16, 16))
    copied = pixels.reshape(-1, 3).repeat(copies.ravel(), axis=0)[None]
    weighted = flatten_pixels(pixels, 6, alpha=copies.astype(np.uint8))
    flat = flatten_pixels(copied, 6)
    assert weighted.weights.sum() == copies.sum()
    assert weighted.mse == pytest.approx(flat.mse, rel=0.01)
    gaps = ((pixels.astype(int) - weighted.flat) ** 2).sum(axis=2)
    assert weighted.mse == pytest.approx((gaps * copies).sum() / copies.sum(), rel=1e-12)


def test_full_opacity_changes_nothing():
    """An alpha channel that is opaque everywhere gives the picture without one, weights in opacity."""
    pixels = painting(55)
    opaque = flatten_pixels(pixels, 9, alpha=np.full(pixels.shape[:2], 255, np.uint8))
    plain = flatten_pixels(pixels, 9)
    assert np.array_equal(opaque.flat, plain.flat)
    assert np.array_equal(opaque.weights, plain.weights * 255)
    assert opaque.mse == pytest.approx(plain.mse)


def test_hidden_pixels_do_not_count():
    """Fully transparent pixels have no say in the palette, and get its nearest colour all the same."""
    pixels, hidden = painting(56), noise(57, 48, 20)
    both = np.concatenate([pixels, hidden], axis=1)
    alpha = np.zeros(both.shape[:2], np.uint8)
    alpha[:, :64] = 255
    flat, visible = flatten_pixels(both, 7, alpha=alpha), flatten_pixels(pixels, 7)
    assert flat.mse == pytest.approx(visible.mse, rel=0.01)
    gaps = ((hidden[:, :, None].astype(int) - flat.palette.astype(int)) ** 2).sum(axis=3)
    assert np.array_equal(flat.label_map[:, 64:], gaps.argmin(axis=2))


def test_hidden_pixels_do_not_count_in_oklab():
    """With hidden pixels the visible ones get the clusters of Oklab, as they do without the hidden ones."""
    pixels, hidden = painting(56), noise(57, 48, 20)
    both = np.concatenate([pixels, hidden], axis=1)
    alpha = np.zeros(both.shape[:2], np.uint8)
    alpha[:, :64] = 255
    flat = flatten_pixels(both, 7, OKLAB, alpha=alpha)
    coordinates = to_space(pixels.reshape(-1, 3), "oklab").reshape(pixels.shape)
    for row, color in enumerate(flat.palette):
        mean = coordinates[flat.label_map[:, :64] == row].mean(axis=0)
        assert np.array_equal(from_space(mean[None], "oklab")[0], color)


@pytest.mark.parametrize("solver", SOLVERS)
def test_oklab_palette_is_the_mean_of_its_pixels_there(solver):
    """In Oklab each palette colour is the mean of its pixels' Oklab coordinates, converted back and rounded."""
    pixels = photograph("kodim23", side=96)
    flat = flatten_pixels(pixels, 9, FlattenOptions(solver=solver, space="oklab"))
    coordinates = to_space(pixels.reshape(-1, 3), "oklab").reshape(pixels.shape)
    for row, color in enumerate(flat.palette):
        mean = coordinates[flat.label_map == row].mean(axis=0)
        assert np.array_equal(from_space(mean[None], "oklab")[0], color)
    assert flat.mse == mse(pixels, flat.flat)


def test_oklab_measures_distance_there():
    """In Oklab the clusters leave less distortion in Oklab than RGB's do, and more in RGB."""
    pixels = photograph("kodim23", side=128)
    rgb, oklab = flatten_pixels(pixels, 8), flatten_pixels(pixels, 8, OKLAB)

    def left(flat):
        ours, theirs = (to_space(picture.reshape(-1, 3), "oklab") for picture in (pixels, flat.flat))
        return ((ours - theirs) ** 2).sum()

    assert left(oklab) < left(rgb)
    assert rgb.mse < oklab.mse


def test_seed_is_the_only_other_choice():
    """Another seed may end elsewhere, never much worse; the same seed ends at the same picture."""
    pixels = painting(58)
    flats = [flatten_pixels(pixels, 11, FlattenOptions(seed=seed)) for seed in range(5)]
    assert same(flats[3], flatten_pixels(pixels, 11, FlattenOptions(seed=3)))
    assert max(flat.mse for flat in flats) < 1.05 * min(flat.mse for flat in flats)


@pytest.mark.parametrize(
    "levels", [[0, 113, 114], list(range(256)), [0, 1], [254, 255, 3]], ids=["issue", "ramp", "dark", "light"]
)
@pytest.mark.parametrize("solver", ["multilevel", "textbook"])
def test_greys_stay_grey_in_oklab(levels: list[int], solver: str) -> None:
    """Of an image of greys, every colour of every palette has one level, also where a mean lies between two of them."""
    pixels = np.repeat(np.array([levels], np.uint8)[:, :, None], 3, axis=2)
    options = FlattenOptions(space="oklab", solver=solver)
    for k in (1, 2, 3, 5, 8, 15, 64, 137, 255):
        palette = flatten_pixels(pixels, k, options).palette
        assert (palette == palette[:, :1]).all(), (k, palette)


@settings(max_examples=40, deadline=None)
@given(small_images, st.integers(1, 20), st.sampled_from(get_args(Solver)), st.sampled_from(["none", "blue-noise"]))
def test_the_colours_alone_are_those_of_the_flat(pixels, k, solver, dither):
    """Without pixels, of any small image: the palette, the weights and the mse that the flat has."""
    image, options = index_colors(pixels), FlattenOptions(solver=solver, dither=dither)
    alone, flat = flat_colors(image, k, options), flatten_indexed(image, k, options)

    assert np.array_equal(alone.palette, flat.palette)
    assert np.array_equal(alone.weights, flat.weights)
    assert alone.mse == flat.mse
    assert alone.hex_colors == flat.hex_colors
