"""The pictures of an image: decoded, they show what they should."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from builders_report import color_counts, soft_pixels
from numpy.typing import NDArray
from PIL import Image

from flatpipe.layout import picture_key, picture_name, still_name
from flatpipe.pictures import encoded
from flatpipe.pictures.colorspace import color_points, colorspace_png, packed_points
from flatpipe.pictures.contact_sheet import Panel, contact_sheet_png
from flatpipe.pictures.encoded import on_checkerboard, png_bytes
from flatpipe.pictures.thumbnail import preview, small_mixture, small_picture, thumbnail
from flatpipe.quantize.palette_image import PaletteImage


def _decoded(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def _error(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (600, 900), (900, 600)])
def test_thumbnail_is_the_image_made_small(size: tuple[int, int]) -> None:
    """A thumbnail has at most 288 pixels a side, the image's shape, and its colours."""
    pixels = np.broadcast_to(np.array([200, 40, 90], np.uint8), (*size, 3)).copy()
    small = _decoded(thumbnail(small_picture(pixels)))
    assert max(small.shape[:2]) == min(288, max(size))
    assert _error(small, np.broadcast_to(np.array([200, 40, 90], np.uint8), small.shape)) < 3


def test_transparent_pixels_show_the_checkerboard() -> None:
    """What is transparent shows grey squares, never the colour hidden below; what is opaque is untouched."""
    pixels = np.full((32, 32, 3), [255, 0, 0], np.uint8)
    alpha = np.zeros((32, 32), np.uint8)
    alpha[:16] = 255
    shown = on_checkerboard(pixels, alpha)
    assert (shown[:16] == [255, 0, 0]).all()
    assert set(np.unique(shown[16:])) == {204, 255}
    assert (shown[16:, :, 0] == shown[16:, :, 1]).all()


def test_a_dithered_flat_looks_small_as_it_does_from_afar() -> None:
    """A checkerboard of black and white shrinks to the grey of half its light, level 188, not to half its levels."""
    board = PaletteImage(
        np.array([[0, 0, 0], [255, 255, 255]], np.uint8), (np.indices((600, 600)).sum(axis=0) % 2).astype(np.uint8)
    )
    small = small_mixture(board)
    assert small.shape == (288, 288, 3)
    assert abs(small.astype(float).mean() - 188) < 2


def test_a_jpeg_is_the_same_however_it_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a file descriptor, where Pillow lets other threads go on, and to memory: the same bytes and pixels."""
    pixels = soft_pixels(3, 300, 500)
    made = []
    for large in (0, 1 << 30):
        monkeypatch.setattr(encoded, "_LARGE", large)
        made.append(encoded.jpeg_bytes(pixels, 90))
    assert made[0] == made[1]
    assert _error(_decoded(made[0]), pixels) < 6


@pytest.mark.parametrize(
    ("side", "with_alpha", "suffix"),
    [(100, False, "png"), (100, True, "png"), (400, False, "jpg"), (400, True, "webp")],
)
def test_preview_is_exact_where_it_is_small(side: int, with_alpha: bool, suffix: str) -> None:
    """Small previews are lossless; large ones are close; opacity is kept."""
    pixels = soft_pixels(1, side, side)
    alpha = np.full((side, side), 128, np.uint8) if with_alpha else None
    kind, content = preview(pixels, alpha)
    found = _decoded(content)
    assert kind == suffix
    assert found.shape[2] == (4 if with_alpha else 3)
    assert _error(found[..., :3], pixels) <= (0 if kind == "png" else 6)
    if with_alpha:
        assert (found[..., 3] == 128).all()


def test_png_bytes_decode_to_the_pixels() -> None:
    """The fast PNG encoder loses nothing, with three channels and with four."""
    random = np.random.default_rng(0)
    for channels in (3, 4):
        pixels = random.integers(0, 256, (17, 23, channels), dtype=np.uint8)
        assert (_decoded(png_bytes(pixels)) == pixels).all()


def test_points_stand_for_the_colour_table() -> None:
    """Points are few, repeatable, near the image's colours, and larger where pixels are many."""
    colors, counts = color_counts(soft_pixels(3, 60, 90))
    points = color_points(colors, counts, most=400)
    again = color_points(colors, counts, most=400)
    assert len(points.colors) <= 400
    assert (points.colors == again.colors).all()
    nearest = np.abs(points.colors[:, np.newaxis].astype(int) - colors[np.newaxis].astype(int)).max(axis=2).min(axis=1)
    assert nearest.max() < 8
    assert points.sizes.max() == 255
    black_and_red = color_points(np.array([[0, 0, 0], [255, 0, 0]], np.uint8), np.array([1000, 1]))
    assert black_and_red.colors.tolist() == [[0, 0, 0], [255, 0, 0]]
    assert black_and_red.sizes.tolist() == [255, 26]
    assert base64.b64decode(packed_points(black_and_red)) == bytes([0, 0, 0, 255, 255, 0, 0, 26])


def test_a_point_is_the_mean_of_its_cell() -> None:
    """As numpy adds them up: the means of the cells' visible colours, cell by cell, larger with the count's root."""
    colors, counts = color_counts(soft_pixels(4, 60, 90))
    counts = np.where(np.arange(len(counts)) % 5 == 0, 0, counts)
    cell = (colors >> 3).astype(int) @ (1024, 32, 1)
    totals = np.bincount(cell, counts, 1 << 15)
    means = np.stack([np.bincount(cell, counts * colors[:, channel], 1 << 15) for channel in range(3)], axis=1)
    seen = np.flatnonzero(totals)
    points = color_points(colors, counts, most=1 << 15)
    assert (points.colors == np.rint(means[seen] / totals[seen, np.newaxis])).all()
    assert (points.sizes == np.rint(255 * np.cbrt(totals[seen] / totals.max()))).all()


def test_points_of_an_invisible_image_are_none() -> None:
    """A table whose every colour counts nothing gives no point, and its still is drawn all the same."""
    points = color_points(np.zeros((1, 3), np.uint8), np.zeros(1, np.int64))
    assert len(points.colors) == 0
    assert _decoded(colorspace_png(points, np.zeros((0, 3), np.uint8))).shape == (448, 448, 3)


def test_still_shows_every_palette_colour() -> None:
    """colorspace.png holds each palette colour as a disc, and the ground between."""
    colors, counts = color_counts(soft_pixels(2))
    palette = np.array([[20, 30, 40], [220, 60, 10], [60, 180, 90]], np.uint8)
    still = _decoded(colorspace_png(color_points(colors, counts), palette)).reshape(-1, 3)
    for color in palette:
        assert (still == color).all(axis=1).sum() > 80
    assert (still == [250, 249, 247]).all(axis=1).mean() > 0.5


@pytest.mark.parametrize("shape", [(8, 8), (30, 90), (90, 30), (700, 900)])
def test_contact_sheet_holds_every_panel(shape: tuple[int, int]) -> None:
    """Each panel's colour covers its part of the sheet, whatever the shape, with its strip below."""
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 0, 255]], np.uint8)
    panels = [Panel("original", np.broadcast_to(color, (*shape, 3)).copy()) for color in colors]
    panels[1] = Panel("k = 2", panels[1].pixels, colors[:2], (0.25, 0.75))
    sheet = _decoded(contact_sheet_png(panels)).reshape(-1, 3)
    covered = [(sheet == color).all(axis=1).sum() for color in colors]
    assert min(covered) > 288 * 288 * min(shape) / max(shape) * 0.6


def test_names_are_safe_whatever_the_image_is_called() -> None:
    """A picture's name holds hex digits only, differs for different images, and stills lie beside the flats."""
    names = ["a/../b.png", "\udce9.png", "\udcea.png", "a b?#.png"]
    keys = {picture_key(name) for name in names}
    assert len(keys) == len(names)
    assert all(set(key) <= set("0123456789abcdef") and len(key) == 16 for key in keys)
    key = picture_key("x.png")
    assert picture_name("x.png", "flat.jpg") == f"gallery/pictures/{key[:2]}/{key}-flat.jpg"
    assert still_name("t/x.png", "colorspace.png") == "images/t/x.png/colorspace.png"
