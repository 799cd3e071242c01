"""Samples of more than 8 bits are scaled and rounded, never truncated, and what cannot be scaled is stretched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from file_builders import png_of, tiff_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from flatpipe.decode.decode import decode
from flatpipe.decode.deep_pixels import scale_16_to_8, scale_floats
from flatpipe.settings import DecodePolicy

POLICY = DecodePolicy()
RANDOM = np.random.default_rng(5)
SAMPLES = RANDOM.integers(0, 65536, (12, 10, 4)).astype(np.uint16)
SCALED = np.rint(SAMPLES / 257).astype(np.uint8)


def _planes(content: bytes) -> NDArray[np.uint8]:
    decoded = decode(content, POLICY)
    assert "16 bit scaled to 8" in decoded.notes
    return decoded.pixels if decoded.alpha is None else np.dstack([decoded.pixels, decoded.alpha])


@pytest.mark.parametrize(
    ("content", "bands"),
    [
        pytest.param(png_of(SAMPLES[..., :1]), 1, id="PNG grey"),
        pytest.param(png_of(SAMPLES[..., :2]), 2, id="PNG grey, alpha"),
        pytest.param(png_of(SAMPLES[..., :3]), 3, id="PNG RGB"),
        pytest.param(png_of(SAMPLES), 4, id="PNG RGBA"),
        pytest.param(tiff_of(SAMPLES[..., :1]), 1, id="TIFF grey, little-endian"),
        pytest.param(tiff_of(SAMPLES[..., :1], ">"), 1, id="TIFF grey, big-endian"),
        pytest.param(tiff_of(SAMPLES[..., :3]), 3, id="TIFF RGB, little-endian"),
        pytest.param(tiff_of(SAMPLES[..., :3], ">"), 3, id="TIFF RGB, big-endian"),
        pytest.param(tiff_of(SAMPLES[..., :3], compress=True), 3, id="TIFF RGB, deflate"),
        pytest.param(tiff_of(SAMPLES[..., :3], ">", compress=True), 3, id="TIFF RGB, big-endian, deflate"),
        pytest.param(tiff_of(SAMPLES), 4, id="TIFF RGBA"),
        pytest.param(tiff_of(SAMPLES, compress=True), 4, id="TIFF RGBA, deflate"),
    ],
)
def test_16_bits_are_scaled_and_rounded(content: bytes, bands: int) -> None:
    """Every 16-bit sample v becomes round(v / 257), in colour and in alpha."""
    expected = {
        1: np.repeat(SCALED[..., :1], 3, axis=2),
        2: SCALED[..., [0, 0, 0, 1]],
        3: SCALED[..., :3],
        4: SCALED,
    }[bands]
    assert np.array_equal(_planes(content), expected)


def test_16_bits_agree_with_8() -> None:
    """An 8-bit image and the same stored at 16 bits decode to the same pixels."""
    eight = RANDOM.integers(0, 256, (9, 7, 3)).astype(np.uint8)
    assert np.array_equal(_planes(png_of(eight.astype(np.uint16) * 257)), decode(png_of(eight), POLICY).pixels)


@given(st.integers(0, 65535))
def test_scaling_rounds_to_nearest(sample: int) -> None:
    """No 16-bit sample is further from its 8-bit value than half a level."""
    assert abs(int(scale_16_to_8(np.array([sample], np.uint16))[0]) - sample / 257) <= 0.5


def _grey(content: bytes) -> tuple[list[int], tuple[str, ...]]:
    decoded = decode(content, POLICY)
    assert (decoded.pixels[..., 0] == decoded.pixels[..., 2]).all()
    return decoded.pixels[..., 0].ravel().tolist(), decoded.notes


def _row(*values: float, kind: Any) -> NDArray[Any]:
    return np.array(values, kind).reshape(1, -1, 1)


@pytest.mark.parametrize(
    ("content", "expected", "note"),
    [
        (tiff_of(_row(0, 7, 255, kind=np.uint32)), [0, 7, 255], "integers 0..255 kept as they are"),
        (tiff_of(_row(0, 257, 65535, kind=np.uint32)), [0, 1, 255], "integers 0..65535 scaled to 8 bit"),
        (
            tiff_of(_row(0, 2**31, 2**32 - 1, kind=np.uint32)),
            [0, 128, 255],
            "integers 0..4294967295 stretched to 8 bit",
        ),
        (tiff_of(_row(-100, 0, 100, kind=np.int32)), [0, 128, 255], "integers -100..100 stretched to 8 bit"),
        (tiff_of(_row(0, 32767, kind=np.int16)), [0, 255], "15 bit scaled to 8"),
        (tiff_of(_row(-5, 5, kind=np.int16)), [0, 255], "integers -5..5 stretched to 8 bit"),
        (tiff_of(_row(0, 65535, kind=np.uint16), t262=0), [255, 0], "16 bit scaled to 8"),
        (tiff_of(_row(0, 0.5, 1, kind=np.float32)), [0, 128, 255], "floats 0..1 scaled to 8 bit"),
        (tiff_of(_row(0, 1.6, 255, kind=np.float32)), [0, 2, 255], "floats 0..255 rounded to 8 bit"),
        (tiff_of(_row(-1, 0, 3, kind=np.float32)), [0, 64, 255], "floats -1..3 stretched to 8 bit"),
        (b"P5 3 1 65535 " + _row(0, 257, 65535, kind=">u2").tobytes(), [0, 1, 255], "16 bit scaled to 8"),
        (b"P5 2 1 1000 " + _row(0, 1000, kind=">u2").tobytes(), [0, 255], "16 bit scaled to 8"),
    ],
)
def test_other_depths_are_mapped_as_documented(content: bytes, expected: list[int], note: str) -> None:
    """Wide integers and floats follow the table of the decoding policy, and the note says which line."""
    assert _grey(content) == (expected, (note,))


def test_not_a_number_is_black_and_infinity_white() -> None:
    """NaN and infinities neither fail nor stretch the range."""
    grey, note = scale_floats(np.array([[np.nan, -np.inf, 0.5, np.inf]], np.float32))
    assert grey.tolist() == [[0, 0, 128, 255]]
    assert note == "floats 0..1 scaled to 8 bit; NaN and infinities replaced"


def test_infinities_do_not_count_for_the_range() -> None:
    """Infinities beside floats of 0..1 leave them floats of 0..1."""
    grey, note = scale_floats(np.array([[-np.inf, 0.5, np.inf]], np.float32))
    assert grey.tolist() == [[0, 128, 255]]
    assert note.startswith("floats 0..1 scaled")


def test_signalling_nans_make_no_noise() -> None:
    """NaNs as damaged files hold them are widened without a warning."""
    bits = np.full((2, 3), 0x7F800001, np.uint32)
    bits[0, 0] = 0
    assert scale_floats(bits.view(np.float32))[0].max() == 0


def test_floats_of_any_size_do_not_overflow() -> None:
    """The widest range of floats is stretched without a warning."""
    widest = np.finfo(np.float32).max
    grey, _ = scale_floats(np.array([[-widest, 0, widest]], np.float32))
    assert grey.tolist() == [[0, 128, 255]]


def test_a_flat_deep_image_is_legal() -> None:
    """An image of one value has no range to stretch and comes out black."""
    assert _grey(tiff_of(_row(-7, -7, kind=np.int32)))[0] == [0, 0]
