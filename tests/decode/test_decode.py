"""The decoding policy on sound files: colours, alpha, orientation, frames."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from file_builders import CORNERS, OPACITIES, exif_orientation, png_of, quarters, saved
from numpy.typing import NDArray
from PIL import Image

from flatpipe.decode.decode import DecodedImage, count_frames, decode, read_header
from flatpipe.decode.formats import FORMATS
from flatpipe.errors import DecoderFailed
from flatpipe.settings import DecodePolicy

POLICY = DecodePolicy()
MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F")
LOSSY = {
    "JPEG": {"quality": 98, "subsampling": 0},
    "MPO": {"quality": 98, "subsampling": 0},
    "AVIF": {"quality": 98, "subsampling": "4:4:4"},
}
EXACT = {"WEBP": {"lossless": True, "exact": True}}
RESIZED = {"ICNS"}
# ^ Pillow writes these in sizes of its own choice
DEEP = {"I": {"TIFF"}, "I;16": {"PNG", "TIFF", "PPM", "JPEG2000"}, "F": {"TIFF", "PPM"}}
# ^ formats that store these modes as they are; Pillow clips them to 8 bits for the others


def _writable() -> list[tuple[str, str, bytes]]:
    """Every (format, mode) of the allow-list that Pillow can write, with the file."""
    Image.init()
    found = []
    for kind in sorted((FORMATS | {"MPO"}) & set(Image.SAVE) - RESIZED):
        for mode in MODES:
            if kind not in DEEP.get(mode, FORMATS | {"MPO"}):
                continue
            options: dict[str, Any] = LOSSY.get(kind, EXACT.get(kind, {}))
            try:
                found.append((kind, mode, saved(quarters(mode), kind, **options)))
            except (OSError, ValueError, KeyError):
                continue
    return found


WRITABLE = _writable()


def _corner_pixels(plane: NDArray[np.uint8]) -> list[list[int]]:
    """The middle pixels of the four quarters, in the order of CORNERS."""
    quarter, rest = plane.shape[0] // 4, plane.shape[0] * 3 // 4
    return [plane[row, column].astype(int).tolist() for row in (quarter, rest) for column in (quarter, rest)]


def test_the_table_is_not_empty() -> None:
    """The round trips below cover at least 70 pairs of format and mode."""
    assert len(WRITABLE) >= 70
    assert {kind for kind, _, _ in WRITABLE} >= {"PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "TGA", "JPEG2000", "AVIF"}


@pytest.mark.parametrize(("kind", "mode", "content"), [pytest.param(*row, id=f"{row[0]}-{row[1]}") for row in WRITABLE])
def test_known_colors_come_back(kind: str, mode: str, content: bytes) -> None:
    """What Pillow writes in any mode and allowed format is read with the colours that went in."""
    decoded = decode(content, POLICY)
    original = quarters(mode)
    visible = np.asarray((quarters("L") if mode in DEEP else original).convert("RGBA"))
    tolerance = 8 if kind in LOSSY else 1 if mode in ("LAB", "I;16") or kind == "GIF" else 0
    expected = visible[..., 3] if decoded.alpha is not None else np.full(visible.shape[:2], 255)
    shown = expected > 0
    difference = np.abs(decoded.pixels.astype(int) - visible[..., :3])[shown]
    assert difference.max() <= tolerance


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved(quarters("RGBA"), "PNG"), id="PNG"),
        pytest.param(saved(quarters("RGBA"), "TIFF"), id="TIFF"),
        pytest.param(saved(quarters("RGBA"), "TGA"), id="TGA"),
        pytest.param(saved(quarters("RGBA"), "WEBP", lossless=True, exact=True), id="WEBP"),
        pytest.param(saved(quarters("RGBA"), "QOI"), id="QOI"),
        pytest.param(saved(quarters("RGBA"), "JPEG2000"), id="JPEG2000"),
    ],
)
def test_alpha_is_kept_bit_for_bit(content: bytes) -> None:
    """Opacity, and the colours of fully transparent pixels, come back as stored."""
    decoded = decode(content, POLICY)
    assert decoded.alpha is not None
    assert _corner_pixels(decoded.alpha) == list(OPACITIES)
    assert _corner_pixels(decoded.pixels) == [list(color) for color in CORNERS]


def test_opaque_alpha_is_dropped() -> None:
    """An alpha channel that is 255 everywhere is no alpha."""
    image = quarters("RGBA")
    image.putalpha(255)
    assert decode(saved(image, "PNG"), POLICY).alpha is None


def test_all_transparent_is_legal() -> None:
    """An image without a visible pixel is decoded as it is."""
    image = quarters("RGBA")
    image.putalpha(0)
    decoded = decode(saved(image, "PNG"), POLICY)
    assert decoded.alpha is not None
    assert decoded.alpha.max() == 0
    assert _corner_pixels(decoded.pixels) == [list(color) for color in CORNERS]


def test_background_replaces_alpha() -> None:
    """With a background colour transparent pixels are composited onto it, alpha goes, and a note says so."""
    decoded = decode(saved(quarters("RGBA"), "PNG"), DecodePolicy(alpha="#ff8000"))
    assert decoded.alpha is None
    assert decoded.notes == ("transparency composited over #ff8000",)
    expected = [
        [round((c * opacity + b * (255 - opacity)) / 255) for c, b in zip(color, (255, 128, 0), strict=True)]
        for color, opacity in zip(CORNERS, OPACITIES, strict=True)
    ]
    assert np.abs(np.array(_corner_pixels(decoded.pixels)) - expected).max() <= 1


@pytest.mark.parametrize(
    ("samples", "key"),
    [
        pytest.param(np.full((4, 4, 1), 77, np.uint8), b"\0\x4d", id="grey"),
        pytest.param(np.full((4, 4, 3), 77, np.uint8), b"\0\x4d" * 3, id="RGB"),
        pytest.param(np.full((4, 4, 1), 777, np.uint16), b"\x03\x09", id="grey 16 bit"),
        pytest.param(np.full((4, 4, 3), 777, np.uint16), b"\x03\x09" * 3, id="RGB 16 bit"),
    ],
)
def test_a_transparent_color_hides_exactly_its_pixels(samples: NDArray[Any], key: bytes) -> None:
    """PNG's one transparent colour hides the pixels of that very colour, at the file's own depth."""
    samples = samples.copy()
    samples[0, 0] += 1
    # ^ at 16 bits this neighbour is the same colour after reduction to 8
    decoded = decode(png_of(samples, ((b"tRNS", key),)), POLICY)
    assert decoded.alpha is not None
    assert decoded.alpha[0, 0] == 255
    assert decoded.alpha.sum() == 255


def test_a_transparent_grey_of_few_bits_is_found() -> None:
    """The transparent grey of a 4-bit PNG is given in 4 bits, its pixels are decoded to 8."""
    image = Image.fromarray(np.array([[0, 0x55], [0xAA, 0xFF]], np.uint8))
    content = saved(image, "PNG", bits=4)
    header_end = 8 + 25
    chunk = png_of(np.zeros((1, 1, 1), np.uint8), ((b"tRNS", b"\0\x05"),))[header_end : header_end + 14]
    decoded = decode(content[:header_end] + chunk + content[header_end:], POLICY)
    if content[24] == 4:
        assert decoded.alpha is not None
        assert decoded.alpha.tolist() == [[255, 0], [255, 255]]


ORIENTED = [
    pytest.param(kind, orientation, id=f"{kind}-{orientation}")
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
    for orientation in range(1, 9)
]


def _stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """How a camera stores an upright picture under an EXIF orientation (the inverse of turning it upright)."""
    return {
        1: upright,
        2: np.fliplr(upright),
        3: np.rot90(upright, 2),
        4: np.flipud(upright),
        5: np.swapaxes(upright, 0, 1),
        6: np.rot90(upright, 1),
        7: np.rot90(np.swapaxes(upright, 0, 1), 2),
        8: np.rot90(upright, -1),
    }[orientation]


@pytest.mark.parametrize(("kind", "orientation"), ORIENTED)
def test_every_orientation_shows_the_same_picture(kind: str, orientation: int) -> None:
    """The eight EXIF orientations of a picture decode to one picture, turned once, in every format that has them."""
    upright = np.asarray(quarters("RGB", 32).crop((0, 0, 32, 24)))
    image = Image.fromarray(np.ascontiguousarray(_stored(upright, orientation)))
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else LOSSY.get(kind, {})
    decoded = decode(saved(image, kind, exif=exif_orientation(orientation), **options), POLICY)
    assert decoded.pixels.shape == upright.shape
    assert np.abs(decoded.pixels.astype(int) - upright).max() <= (10 if kind in LOSSY else 0)
    assert decoded.notes == (() if orientation == 1 else (f"rotated (EXIF {orientation})",))


def test_alpha_is_turned_with_the_colors() -> None:
    """A rotated image's alpha is rotated alike."""
    image = quarters("RGBA").crop((0, 0, 16, 12))
    decoded = decode(saved(image, "PNG", exif=exif_orientation(6)), POLICY)
    assert decoded.alpha is not None
    turned = np.rot90(np.asarray(image), -1)
    assert np.array_equal(np.dstack([decoded.pixels, decoded.alpha]), turned)


FRAMES = [Image.new("RGB", (8, 8), color) for color in CORNERS]


def _animation(kind: str) -> bytes:
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind == "AVIF" else {}
    return saved(FRAMES[0], kind, save_all=True, append_images=FRAMES[1:], **options)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_each_frame_can_be_asked_for(kind: str) -> None:
    """Every frame of an animation or page of a file is decoded on demand, and its note says which of how many."""
    content = _animation(kind)
    assert count_frames(content) == len(FRAMES)
    for frame, color in enumerate(CORNERS):
        decoded = decode(content, POLICY, frame)
        assert np.abs(decoded.pixels[4, 4].astype(int) - color).max() <= (6 if kind == "AVIF" else 0)
        assert decoded.notes == (f"frame {frame + 1} of 4",)
        assert decoded.n_frames == 4


def test_a_frame_beyond_the_last_is_an_error() -> None:
    """Asking for a frame that is not there fails in words."""
    with pytest.raises(DecoderFailed, match="there is no frame 5"):
        decode(_animation("GIF"), POLICY, 4)


def test_frames_are_composited() -> None:
    """A frame that stores only what changed is decoded as the whole picture it shows."""
    changed = FRAMES[0].copy()
    changed.paste(CORNERS[1], (0, 0, 2, 2))
    content = saved(FRAMES[0], "GIF", save_all=True, append_images=[changed])
    assert np.array_equal(decode(content, POLICY, 1).pixels, np.asarray(changed))


def test_of_several_pictures_in_one_photo_the_first_counts() -> None:
    """A multi-picture photo (MPO) is one image: its other pictures are previews, depth or gain maps."""
    content = saved(FRAMES[0], "MPO", save_all=True, append_images=FRAMES[1:])
    assert count_frames(content) == 1
    assert decode(content, POLICY).notes == ()


def test_the_largest_icon_is_taken() -> None:
    """An icon file gives its largest picture."""
    content = saved(quarters("RGBA", 64), "ICO", sizes=[(16, 16), (64, 64), (32, 32)])
    assert decode(content, POLICY).pixels.shape == (64, 64, 3)


def test_arrays_are_read_only_and_contiguous() -> None:
    """Pixels and alpha can be shared between tasks: no task can write to them."""
    files = [saved(quarters(mode), "PNG") for mode in ("RGB", "RGBA", "L", "P")]
    files += [png_of(np.zeros((4, 4, bands), np.uint16)) for bands in (1, 2, 3, 4)]
    for content in files:
        decoded: DecodedImage = decode(content, POLICY)
        for plane in (decoded.pixels, decoded.alpha):
            if plane is not None:
                assert plane.flags.c_contiguous
                assert not plane.flags.writeable
                assert plane.dtype == np.uint8


@pytest.mark.parametrize(("kind", "mode", "content"), [pytest.param(*row, id=f"{row[0]}-{row[1]}") for row in WRITABLE])
def test_what_pillow_holds_is_the_pixels(kind: str, mode: str, content: bytes) -> None:
    """An image that comes with the pixels, of opaque colour alone, shows just these; another process gets it not."""
    decoded = decode(content, POLICY)
    if decoded.image is not None:
        assert (np.asarray(decoded.image) == decoded.pixels).all()
    assert decoded.image is None or decoded.alpha is None
    sent = pickle.loads(pickle.dumps(decoded))
    assert sent.image is None
    assert (sent.pixels == decoded.pixels).all()
    assert (decoded.image is not None) or mode != "RGB" or kind not in ("PNG", "JPEG")


def test_the_header_is_read_without_pixels() -> None:
    """read_header knows format, size and frames of a file whose pixels are missing."""
    header = read_header(saved(quarters("RGB", 64), "PNG")[:60])
    assert (header.format, header.width, header.height, header.n_frames) == ("PNG", 64, 64, 1)
