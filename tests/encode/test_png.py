"""Flat images as PNG."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from flat_builders import color_counts, patchy_flat, patchy_labels, random_palette, sizes, soft_disc
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from flatpipe.encode.png import decode_flat, encode_png
from flatpipe.errors import DecoderFailed
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.options import FlattenOptions
from flatpipe.quantize.palette_image import FlattenedImage, PaletteImage


def flat_of(palette: NDArray[np.uint8], labels: NDArray[np.uint8], is_dithered: bool) -> PaletteImage:
    """A flat image; of a dithered one the file has another filter."""
    return FlattenedImage(palette, labels, np.ones(len(palette), np.int64), 0.0, is_dithered=is_dithered)


@given(sizes, color_counts, st.integers(0, 5), st.booleans())
def test_other_programs_see_the_palette_colors(
    size: tuple[int, int], n_colors: int, seed: int, is_dithered: bool
) -> None:
    """Pillow and imageio decode every file to exactly palette[label_map], from exactly the palette as colour table."""
    palette, labels = random_palette(n_colors, seed), patchy_labels(*size, n_colors, seed)
    content = encode_png(flat_of(palette, labels, is_dithered))
    assert (iio.imread(content, mode="RGB") == palette[labels]).all()
    with Image.open(io.BytesIO(content)) as image:
        assert image.mode == "P"
        assert image.getpalette() == palette.ravel().tolist()
        assert (np.asarray(image) == labels).all()


@given(sizes, color_counts, st.booleans())
def test_what_we_wrote_is_read_back(size: tuple[int, int], n_colors: int, is_dithered: bool) -> None:
    """decode_flat returns the very palette and label map."""
    palette, labels = random_palette(n_colors), patchy_labels(*size, n_colors)
    saved = decode_flat(encode_png(flat_of(palette, labels, is_dithered)))
    assert (saved.palette == palette).all()
    assert (saved.label_map == labels).all()
    assert saved.alpha is None


@pytest.mark.parametrize(("n_colors", "bits"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8)])
def test_bit_depth_is_the_smallest(n_colors: int, bits: int) -> None:
    """A label takes 1, 2, 4 or 8 bits, as few as the palette allows."""
    content = encode_png(patchy_flat(30, 30, n_colors))
    assert content[24] == bits


@given(sizes, color_counts, st.sampled_from(["soft", "hard", "clear", "random"]), st.booleans())
def test_alpha_is_written_back_untouched(size: tuple[int, int], n_colors: int, kind: str, is_dithered: bool) -> None:
    """Colour and opacity of every pixel survive, under zero opacity too, whether they fit a colour table or not."""
    soft = soft_disc(*size)
    noise = np.random.default_rng(1).integers(0, 255, size, dtype=np.uint8)
    alpha = {"soft": soft, "hard": (soft > 127).astype(np.uint8) * 255, "clear": soft * 0, "random": noise}[kind]
    palette, labels = random_palette(n_colors), patchy_labels(*size, n_colors)
    content = encode_png(flat_of(palette, labels, is_dithered), alpha)
    assert (iio.imread(content, mode="RGBA") == np.dstack((palette[labels], alpha))).all()
    saved = decode_flat(content)
    assert (saved.palette == palette).all()
    assert (saved.label_map == labels).all()
    assert (alpha == 255).all() if saved.alpha is None else (saved.alpha == alpha).all()


@pytest.mark.parametrize(("n_pairs", "mode"), [(256, "P"), (257, "RGBA")])
def test_alpha_takes_a_palette_while_it_fits(n_pairs: int, mode: str) -> None:
    """256 pairs of colour and opacity make a palette file, 257 an RGBA file."""
    pairs = np.arange(n_pairs, dtype=np.uint16)[np.newaxis]
    flat = PaletteImage(random_palette(n_pairs // 257 + 1), (pairs >> 8).astype(np.uint8))
    content = encode_png(flat, (pairs & 255).astype(np.uint8))
    with Image.open(io.BytesIO(content)) as image:
        assert image.mode == mode


def test_opaque_alpha_is_no_alpha() -> None:
    """An image that is opaque everywhere is written as if it had no alpha channel."""
    flat = patchy_flat(20, 20, 5)
    assert encode_png(flat, np.full((20, 20), 255, dtype=np.uint8)) == encode_png(flat)


def test_label_maps_need_not_be_contiguous() -> None:
    """A sliced, transposed or read-only label map gives the same file as its copy."""
    labels = patchy_labels(40, 50, 7)
    for view in (labels[::2, 1::3], np.asfortranarray(labels)):
        view.flags.writeable = False
        copy = PaletteImage(random_palette(7), view.copy(order="C"))
        assert encode_png(PaletteImage(random_palette(7), view)) == encode_png(copy)


def test_bytes_are_the_same_on_every_machine() -> None:
    """A palette file's digest is known beforehand: no library has a say in it."""
    rows, columns = np.mgrid[0:1200, 0:900]
    labels = ((rows // 9 * columns // 40 + rows * columns // 700) % 11).astype(np.uint8)
    palette = (np.arange(33, dtype=np.uint8) * 7).reshape(11, 3)
    digest = hashlib.sha256(encode_png(PaletteImage(palette, labels))).hexdigest()
    assert digest == "2d4023f6fa06bcb3713de4a706983f0f1be1f3e136d13cf28955f45a25791d22"


PNGCHECK = shutil.which("pngcheck")


@pytest.mark.skipif(PNGCHECK is None, reason="pngcheck is not installed")
def test_the_reference_checker_finds_no_fault(tmp_path: Path) -> None:
    """pngcheck, which knows every rule of the format, takes files of all depths, with opacity, small and large."""
    for number, n_colors in enumerate((1, 2, 4, 9, 16, 200, 256)):
        for size in ((1, 1), (3, 5), (60, 77), (1500, 1100)):
            name = tmp_path / f"{number}-{size[0]}"
            name.with_suffix(".png").write_bytes(encode_png(patchy_flat(*size, n_colors)))
            for kind, alpha in (("soft", soft_disc(*size)), ("hard", soft_disc(*size) & 128)):
                content = encode_png(patchy_flat(*size, n_colors), alpha)
                name.with_name(f"{name.name}-{kind}.png").write_bytes(content)
    assert PNGCHECK is not None
    done = subprocess.run([PNGCHECK, "-v", *tmp_path.iterdir()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "No errors were detected in 84 of the 84" in done.stdout


def test_dithered_files_are_smaller_without_a_filter() -> None:
    """Of a photograph dithered in few colours, it is at least 5 % smaller than one with the filter of flat areas."""
    pixels = iio.imread(Path(__file__).parents[2] / "data" / "kodim23.png")
    for k in (2, 4, 12):
        flat = flatten_pixels(pixels, k, FlattenOptions(dither="floyd-steinberg"))
        assert len(encode_png(flat)) < 0.95 * len(encode_png(PaletteImage(flat.palette, flat.label_map)))


def test_damage_is_noticed() -> None:
    """A file cut short or changed anywhere is refused, and so is a PNG of somebody else's."""
    content = encode_png(patchy_flat(20, 30, 9))
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0x41
        for damaged in (content[:place], bytes(changed)):
            with pytest.raises(DecoderFailed):
                decode_flat(damaged)
    foreign = iio.imwrite("<bytes>", np.zeros((9, 9, 3), dtype=np.uint8), extension=".png")
    with pytest.raises(DecoderFailed):
        decode_flat(foreign)
