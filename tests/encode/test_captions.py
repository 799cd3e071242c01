"""Captions of a sweep's frames."""

from __future__ import annotations

import numpy as np
import pytest

from flatpipe.encode.captions import captioned
from flatpipe.layout import widest_k
from flatpipe.quantize.palette_image import PaletteImage

KS = (2, 9, 12)


def frames_of(height: int, width: int, ks: tuple[int, ...] = KS) -> dict[int, PaletteImage]:
    """Frames of k random colours, by k; the palette's order is not that of lightness."""
    random = np.random.default_rng(height + width)
    return {
        k: PaletteImage(random.permutation(256 * 3)[: 3 * k].reshape(k, 3).astype(np.uint8), labels.astype(np.uint8))
        for k, labels in ((k, random.integers(0, k, (height, width))) for k in ks)
    }


def captioned_sweep(frames: dict[int, PaletteImage], alpha: np.ndarray | None = None) -> list[PaletteImage]:
    """The frames of a sweep with captions."""
    return [captioned(k, frame, alpha, widest_k(frames)) for k, frame in frames.items()]


def changed(before: PaletteImage, after: PaletteImage) -> tuple[slice, slice]:
    """Rows and columns around all labels that differ."""
    rows, columns = np.nonzero(before.label_map != after.label_map)
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def test_a_caption_adds_no_colour_and_covers_one_corner() -> None:
    """The palette stays, the same small box in the lower left is darkest and lightest, all else is as it was."""
    frames = frames_of(120, 200)
    before = {k: frame.label_map.copy() for k, frame in frames.items()}
    boxes = set()
    for (k, frame), drawn in zip(frames.items(), captioned_sweep(frames), strict=True):
        luma = frame.palette @ np.array([299, 587, 114])
        rows, columns = changed(frame, drawn)
        assert drawn.palette is frame.palette
        assert set(np.unique(drawn.label_map[rows, columns])) == {luma.argmin(), luma.argmax()}
        assert rows.start > 90
        assert columns.stop < 50
        assert np.array_equal(frame.label_map, before[k])
        boxes.add((rows.start // 3, columns.start // 3))
    assert len(boxes) == 1


def test_captions_of_different_k_differ() -> None:
    """Equal frames get other pictures for other k: the number can be read."""
    frame = frames_of(120, 200)[9]
    drawn = [one.label_map.tobytes() for one in captioned_sweep(dict.fromkeys((5, 6, 15, 256), frame))]
    assert len(set(drawn)) == 4


def test_a_caption_stands_where_the_image_can_be_seen() -> None:
    """On a cut-out, whose corners are transparent, the box moves to what is opaque."""
    alpha = np.zeros((200, 300), np.uint8)
    alpha[60:140, 80:220] = 255
    frames = frames_of(200, 300)
    for frame, drawn in zip(frames.values(), captioned_sweep(frames, alpha), strict=True):
        assert alpha[changed(frame, drawn)].all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (38, 200), (200, 30)])
def test_small_frames_come_as_they_are(height: int, width: int) -> None:
    """Where the box would cover more than a third of the height, or is wider than the frame, there is none."""
    frames = frames_of(height, width)
    for frame, drawn in zip(frames.values(), captioned_sweep(frames), strict=True):
        assert np.array_equal(drawn.label_map, frame.label_map)


def test_a_frame_of_one_colour_comes_as_it_is() -> None:
    """There is no second colour to write with."""
    frames = {1: PaletteImage(np.array([[7, 8, 9]], np.uint8), np.zeros((200, 200), np.uint8))}
    assert [drawn.label_map.any() for drawn in captioned_sweep(frames)] == [False]
