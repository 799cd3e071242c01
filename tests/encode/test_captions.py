"""Captions of a sweep's frames."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2xyz

from flatpipe.encode.captions import captioned, captioned_original
from flatpipe.encode.frames import pixels_of
from flatpipe.layout import widest_k
from flatpipe.quantize.palette_image import PaletteImage

KS = (2, 9, 12)
EXTREMES = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)


def frames_of(height: int, width: int, ks: tuple[int, ...] = KS) -> dict[int, PaletteImage]:
    """Frames of k random colours, by k, black and white among them; the palette's order is not that of lightness."""
    random = np.random.default_rng(height + width)
    frames = {}
    for k in ks:
        palette = np.vstack([random.integers(1, 255, (k - 2, 3), dtype=np.uint8), EXTREMES])
        labels = random.integers(0, k, (height, width)).astype(np.uint8)
        frames[k] = PaletteImage(random.permutation(palette), labels)
    return frames


def captioned_sweep(frames: dict[int, PaletteImage], alpha: np.ndarray | None = None) -> list[PaletteImage]:
    """The frames of a sweep with captions."""
    return [captioned(k, frame, alpha, widest_k(frames)) for k, frame in frames.items()]


def changed(before: PaletteImage, after: PaletteImage) -> tuple[slice, slice]:
    """Rows and columns around all pixels that differ."""
    rows, columns = np.nonzero((pixels_of(before) != pixels_of(after)).any(axis=2))
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def contrast(colors: np.ndarray) -> float:
    """The contrast ratio of two sRGB colours (2, 3): WCAG's formula on scikit-image's luminance."""
    dark, light = sorted(rgb2xyz(colors / 255)[:, 1])
    return float((light + 0.05) / (dark + 0.05))


def test_a_caption_adds_no_colour_and_covers_one_corner() -> None:
    """The palette stays, the same small box in the lower left is darkest and lightest, all else is as it was."""
    frames = frames_of(120, 200)
    before = {k: frame.label_map.copy() for k, frame in frames.items()}
    boxes = set()
    for (k, frame), drawn in zip(frames.items(), captioned_sweep(frames), strict=True):
        rows, columns = changed(frame, drawn)
        assert drawn.palette is frame.palette
        assert np.array_equal(np.unique(drawn.flat[rows, columns].reshape(-1, 3), axis=0), EXTREMES)
        assert rows.start > 90
        assert columns.stop < 50
        assert np.array_equal(frame.label_map, before[k])
        boxes.add((rows.start // 3, columns.start // 3))
    assert len(boxes) == 1


def test_captions_of_different_k_differ() -> None:
    """Equal frames get other pictures for other k, in small ones too: the number can be read."""
    frame = frames_of(60, 90)[9]
    assert len({captioned(k, frame, None, 10).label_map.tobytes() for k in range(100)}) == 100


@pytest.mark.parametrize("height", [100, 512, 2000])
def test_letters_grow_with_the_image(height: int) -> None:
    """They are a thirtieth to a twentieth of the frame's shorter side high, 7 pixels at least."""
    plain = np.full((1, 3), 100, np.uint8)
    frame = PaletteImage(np.vstack([plain, EXTREMES]), np.zeros((height, 2 * height), np.uint8))
    rows = np.flatnonzero((captioned(8, frame, None, 8).flat == 255).all(axis=2).any(axis=1))
    assert max(7, height / 30) <= np.ptp(rows) + 1 <= max(9, height / 20)


@pytest.mark.parametrize("level", [0, 60, 127, 190, 255])
@pytest.mark.parametrize("k", [1, 2, 125, 256])
def test_a_caption_can_be_read_on_any_image(level: int, k: int) -> None:
    """Where no two colours of a frame are far enough apart it gets one more, and 256 colours stay 256."""
    steps = np.stack([np.arange(k) % 7, np.arange(k) // 7 % 7, np.arange(k) // 49], axis=1)
    frame = PaletteImage(
        np.clip(level, 0, 249).astype(np.uint8) + steps.astype(np.uint8),
        np.random.default_rng(k).integers(0, k, (300, 400)).astype(np.uint8),
    )
    drawn = captioned(k, frame, None, k)
    box = drawn.flat[276:292, 8:20].reshape(-1, 3)
    assert contrast(np.unique(box, axis=0)) >= 4.5
    assert drawn.n_colors == min(k + 1, 256)
    assert np.abs(drawn.flat[:260].astype(int) - frame.flat[:260]).max() <= 1


@pytest.mark.parametrize("has_palette", [True, False])
def test_the_original_says_so(has_palette: bool) -> None:
    """Its frame has a box of two colours in the lower left and is untouched outside it; a small one has none."""
    frame = frames_of(200, 300)[12]
    picture = frame if has_palette else frame.flat
    before, after = pixels_of(picture), pixels_of(captioned_original(picture, None))
    rows, columns = np.nonzero((before != after).any(axis=2))
    assert rows.min() > 160
    assert columns.max() < 80
    box = after[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].reshape(-1, 3)
    assert np.array_equal(np.unique(box, axis=0), EXTREMES)
    small = before[:20]
    assert captioned_original(small, None) is small


def test_a_caption_stands_where_the_image_can_be_seen() -> None:
    """On a cut-out, whose corners are transparent, the box moves to what is opaque."""
    alpha = np.zeros((200, 300), np.uint8)
    alpha[60:140, 80:220] = 255
    frames = frames_of(200, 300)
    for frame, drawn in zip(frames.values(), captioned_sweep(frames, alpha), strict=True):
        assert alpha[changed(frame, drawn)].all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (30, 200), (200, 30)])
def test_small_frames_come_as_they_are(height: int, width: int) -> None:
    """Where the box would cover more than a third of the height, or is wider than the frame, there is none."""
    frames = frames_of(height, width)
    for frame, drawn in zip(frames.values(), captioned_sweep(frames), strict=True):
        assert drawn is frame
