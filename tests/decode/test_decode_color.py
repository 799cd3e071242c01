"""Colour profiles and colour models end in sRGB."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from file_builders import display_p3_profile, png_of, quarters, rgb_profile, saved, srgb_profile, tiff_of
from numpy.typing import NDArray
from PIL import Image, ImageCms

from flatpipe.decode.decode import decode
from flatpipe.settings import DecodePolicy

POLICY = DecodePolicy()
P3_TO_SRGB = np.array([[1.22494, -0.22494, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]])
# ^ linear Display P3 to linear sRGB; both have the white of D65


def _linear(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def _encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def _tile(color: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (8, 8), color)


@pytest.mark.parametrize("color", [(234, 51, 35), (200, 100, 50), (60, 160, 220), (128, 128, 128)])
def test_display_p3_becomes_srgb(color: tuple[int, int, int]) -> None:
    """Display P3 colours are converted to the sRGB levels that the two spaces' definitions give."""
    decoded = decode(saved(_tile(color), "PNG", icc_profile=display_p3_profile()), POLICY)
    light = P3_TO_SRGB @ _linear(np.array(color) / 255)
    expected = _encoded(light.clip(0, 1)) * 255
    assert np.abs(decoded.pixels[4, 4] - expected).max() <= 1.5
    assert decoded.notes == ("colours converted from Display P3 to sRGB",)


def test_p3_red_is_pure_srgb_red() -> None:
    """sRGB's red, stored in Display P3 as (234, 51, 35), comes back as red."""
    decoded = decode(saved(_tile((234, 51, 35)), "JPEG", quality=100, icc_profile=display_p3_profile()), POLICY)
    assert np.abs(decoded.pixels[4, 4].astype(int) - (255, 0, 0)).max() <= 4


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_profiles_are_found_in_every_format(kind: str) -> None:
    """Each format that carries profiles has its pixels converted."""
    assert decode(saved(_tile((200, 100, 50)), kind, icc_profile=display_p3_profile()), POLICY).notes == (
        "colours converted from Display P3 to sRGB",
    )


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(srgb_profile(), id="of another name"),
        pytest.param(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), id="little-cms"),
    ],
)
def test_srgb_is_left_alone_whatever_it_calls_itself(profile: bytes) -> None:
    """A profile that is sRGB by its numbers changes no pixel and makes no note."""
    decoded = decode(saved(quarters(), "PNG", icc_profile=profile), POLICY)
    assert np.array_equal(decoded.pixels, np.asarray(quarters()))
    assert decoded.notes == ()


def test_grey_pixels_with_an_rgb_profile_are_converted() -> None:
    """Grey images often carry an RGB profile; greys of P3 are the greys of sRGB."""
    decoded = decode(saved(quarters("L"), "PNG", icc_profile=display_p3_profile()), POLICY)
    assert np.abs(decoded.pixels[..., 0].astype(int) - np.asarray(quarters("L"))).max() <= 1
    assert decoded.notes == ("colours converted from Display P3 to sRGB",)


def test_the_paper_is_white() -> None:
    """The white of a medium that is itself yellowish stays white: the intent is not colorimetric to the paper."""
    yellowish = rgb_profile((0.5, 0.25, 0.0), (0.3, 0.7, 0.05), (0.1642, 0.05, 0.7749), "Old paper", (0.9, 0.95, 0.6))
    assert decode(saved(_tile((255, 255, 255)), "PNG", icc_profile=yellowish), POLICY).pixels.min() >= 254


def test_alpha_is_not_converted() -> None:
    """A profile converts colours and leaves opacity bit for bit."""
    decoded = decode(saved(quarters("RGBA"), "PNG", icc_profile=display_p3_profile()), POLICY)
    assert decoded.alpha is not None
    assert np.array_equal(decoded.alpha, np.asarray(quarters("RGBA"))[..., 3])
    assert decoded.notes == ("colours converted from Display P3 to sRGB",)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        pytest.param(
            saved(quarters(), "PNG", icc_profile=b"no profile at all"),
            "broken colour profile ignored (OSError)",
            id="garbage",
        ),
        pytest.param(
            saved(quarters(), "PNG", icc_profile=display_p3_profile()[:200]),
            "broken colour profile ignored (OSError)",
            id="cut off",
        ),
        pytest.param(
            saved(quarters("CMYK"), "TIFF", icc_profile=display_p3_profile()),
            "colour profile ignored: it describes RGB pixels, these are CMYK",
            id="of another model",
        ),
    ],
)
def test_an_unusable_profile_is_ignored_with_a_note(content: bytes, note: str) -> None:
    """A broken or unfitting profile costs a note, not the image."""
    decoded = decode(content, POLICY)
    assert decoded.notes == (note,)
    assert np.abs(decoded.pixels.astype(int) - np.asarray(quarters())).max() <= 1


def test_16_bit_colors_are_converted_too() -> None:
    """A 16-bit image with a profile is scaled to 8 bits and converted."""
    deep = np.full((4, 4, 3), (200, 100, 50), np.uint16) * 257
    chunk = (b"iCCP", b"p3\0\0" + zlib.compress(display_p3_profile()))
    shallow = decode(saved(_tile((200, 100, 50)), "PNG", icc_profile=display_p3_profile()), POLICY)
    decoded = decode(png_of(deep, (chunk,)), POLICY)
    assert decoded.pixels[0, 0].tolist() == shallow.pixels[0, 0].tolist()
    assert decoded.notes == ("16 bit scaled to 8", "colours converted from Display P3 to sRGB")


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(kind: str) -> None:
    """CMYK files, Adobe's inverted JPEGs among them, show the colours that were put in."""
    decoded = decode(saved(quarters("CMYK"), kind, **({"quality": 98} if kind == "JPEG" else {})), POLICY)
    assert np.abs(decoded.pixels.astype(int) - np.asarray(quarters())).max() <= 4
    assert decoded.notes == ("CMYK converted to sRGB without a profile",)


def test_ycck_is_cmyk() -> None:
    """A JPEG whose Adobe marker says YCCK is decoded through CMYK."""
    content = saved(_tile((255, 255, 0, 0), "CMYK"), "JPEG", quality=100)
    at = content.index(b"Adobe") + 11
    assert content[at] in (0, 2)
    decoded = decode(content, POLICY)
    assert np.abs(decoded.pixels[4, 4].astype(int) - (0, 0, 255)).max() <= 4


def test_lab_is_converted() -> None:
    """LAB pixels become the sRGB colours that they describe."""
    decoded = decode(saved(quarters("LAB"), "TIFF"), POLICY)
    assert np.abs(decoded.pixels.astype(int) - np.asarray(quarters())).max() <= 8
    # ^ 8-bit LAB is coarse in the reds
    assert len(decoded.notes) == 1


def test_an_ignored_gamma_is_noted() -> None:
    """A PNG that asks for another gamma than sRGB's is decoded as it is, with a note; sRGB's own makes none."""
    for gamma, notes in ((100_000, ("gamma 1 ignored",)), (45_455, ())):
        content = png_of(np.asarray(quarters()), ((b"gAMA", struct.pack(">I", gamma)),))
        assert decode(content, POLICY).notes == notes


def test_white_is_zero_greys_are_turned() -> None:
    """A TIFF whose zero is white decodes to the picture it shows."""
    samples = np.array([[[0], [100], [255]]], np.uint8)
    assert decode(tiff_of(samples, t262=0), POLICY).pixels[0, :, 0].tolist() == [255, 155, 0]
