"""What is refused: by name, by size, by damage; and how little that costs."""

from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from file_builders import bomb_png, png_chunk, png_of, quarters, sample_files, saved, tiff_of
from PIL import Image

from flatpipe.decode.decode import count_frames, decode, read_header
from flatpipe.decode.formats import FORMATS
from flatpipe.errors import DecoderFailed, ImageError, ImageTooLarge, NotAnImage, TruncatedImage, UnsupportedImage
from flatpipe.settings import DecodePolicy

POLICY = DecodePolicy()


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", NotAnImage, "an empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", NotAnImage, "Git LFS pointer"),
        (b"<!DOCTYPE html><html><body>404</body></html>", NotAnImage, "a web page"),
        (b"\xef\xbb\xbf\n <HTML lang=en>", NotAnImage, "a web page"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", NotAnImage, "an XML document"),
        (b"<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE svg PUBLIC 'x' 'y'>\n<svg/>", UnsupportedImage, "SVG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedImage, "SVG"),
        (b"<s:svg xmlns:s='http://www.w3.org/2000/svg'/>", UnsupportedImage, "SVG"),
        (b"{'error': 'not found'}", NotAnImage, "text"),
        (b"\0" * 5000, NotAnImage, "zero bytes"),
        (b"\xde\xad\xbe\xef" * 40, NotAnImage, "de ad be ef"),
        (b"PK\x03\x04aaaa", NotAnImage, "ZIP"),
        (b"\x00\x05\x16\x07\x00\x02", NotAnImage, "AppleDouble"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", UnsupportedImage, "PostScript"),
        (b"\xc5\xd0\xd3\xc6" + bytes(30), UnsupportedImage, "PostScript"),
        (b"%PDF-1.7\n", UnsupportedImage, "PDF"),
        (b"\xd7\xcd\xc6\x9a" + bytes(30), UnsupportedImage, "WMF"),
        (b"\x01\0\0\0" + bytes(36) + b" EMF" + bytes(60), UnsupportedImage, "EMF"),
        (b"\xff\x0a" + bytes(30), UnsupportedImage, "JPEG XL"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(30), UnsupportedImage, "CR2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", UnsupportedImage, "CR3"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2mp41", NotAnImage, "a video"),
        (b"\x89PNG\n\x1a\n" + bytes(60), DecoderFailed, "text mode"),
    ],
)
def test_what_is_no_image_of_ours_is_named(content: bytes, error: type[ImageError], words: str) -> None:
    """Failed downloads, documents and foreign formats are recognised by content and refused in words."""
    for ask in (lambda: decode(content, POLICY), lambda: count_frames(content), lambda: read_header(content)):
        with pytest.raises(error, match=words):
            ask()


def test_the_name_of_a_thousand_comments_is_found_at_once() -> None:
    """Markup made of comments alone does not send the recogniser into exponential search."""
    with pytest.raises(NotAnImage):
        decode(b"<!---->" * 600 + b"x", POLICY)


@pytest.mark.parametrize(
    "tags", [{"t50706": 1}, {"t262": 32803}, {"t254": 1, "t330": 8, "t271": 8}], ids=["DNG", "sensor", "preview"]
)
def test_camera_raw_is_not_taken_for_its_preview(tags: dict[str, int]) -> None:
    """A TIFF-based camera RAW is refused, though its thumbnail would decode."""
    with pytest.raises(UnsupportedImage, match="camera RAW"):
        decode(tiff_of(np.zeros((4, 4, 3), np.uint8), **tags), POLICY)


def test_nothing_that_runs_other_programs_is_allowed() -> None:
    """The allow-list holds no format whose decoder starts a program or asks the system to draw."""
    assert not FORMATS & {"EPS", "WMF", "PDF", "FPX", "MIC", "HDF5", "GRIB", "BUFR", "MPEG"}


def test_a_bomb_is_refused_from_its_header() -> None:
    """30,000 x 30,000 pixels in a few kilobytes are refused with the numbers, and take no memory."""
    bomb = bomb_png(30_000, 30_000)
    assert len(bomb) < 12_000
    tracemalloc.start()
    try:
        with pytest.raises(ImageTooLarge, match=r"30,000 x 30,000 is 900,000,000 pixels; .* 200,000,000"):
            decode(bomb, POLICY)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def _refusal(content: bytes, policy: DecodePolicy = POLICY) -> ImageError | None:
    """The error that decoding ends in, None when it does not."""
    try:
        decode(content, policy)
    except ImageError as error:
        return error
    return None


def test_bombs_of_every_format_are_refused() -> None:
    """The limit holds for each format, exactly at its border."""
    for name, content in sample_files().items():
        header = read_header(content)
        decode(content, DecodePolicy(max_pixels=header.pixels))
        refusal = _refusal(content, DecodePolicy(max_pixels=header.pixels - 1))
        assert isinstance(refusal, ImageTooLarge), name


def test_a_bomb_inside_an_icon_is_refused() -> None:
    """An icon's directory may lie about the PNG inside it: the PNG's own header is believed."""
    bomb = bomb_png(20_000, 20_000)
    icon = struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 32, 32, 0, 0, 1, 32, len(bomb), 22) + bomb
    with pytest.raises(ImageTooLarge):
        decode(icon, POLICY)


def test_memory_is_estimated_before_it_is_taken() -> None:
    """An image that would not fit the worker's share is refused with both numbers."""
    content = saved(quarters("RGB", 200), "PNG")
    assert decode(content, DecodePolicy(max_bytes=1_000_000)).pixels.shape == (200, 200, 3)
    with pytest.raises(ImageTooLarge, match=r"takes about .* [kM]B to decode; this worker's share is 100 kB"):
        decode(content, DecodePolicy(max_bytes=100_000))


@pytest.mark.parametrize("chunk", ["zTXt", "iTXt", "iCCP"])
def test_a_bomb_in_a_side_chunk_costs_the_chunk_only(chunk: str) -> None:
    """Megabytes of zeros in a text or profile chunk are never inflated, and the picture is decoded."""
    heads = {"zTXt": b"k\0\0", "iTXt": b"k\0\1\0\0\0", "iCCP": b"k\0\0"}
    inflated = heads[chunk] + zlib.compress(bytes(50_000_000), 9)
    decoded = decode(png_of(np.asarray(quarters()), ((chunk.encode(), inflated),)), POLICY)
    assert np.array_equal(decoded.pixels, np.asarray(quarters()))
    assert decoded.notes == ("damaged side chunks skipped",)


def test_damaged_side_chunks_are_skipped() -> None:
    """A wrong checksum in a text chunk, before or behind the pixels, does not cost the picture."""
    content = png_of(np.asarray(quarters()), ((b"tEXt", b"k\0v"),))
    at = content.index(b"tEXtk")
    broken = content[: at + 7] + b"\0\0\0\0" + content[at + 11 :]
    assert np.array_equal(decode(broken, POLICY).pixels, np.asarray(quarters()))
    unsound = png_of(np.asarray(quarters()), ((b"gAMA", struct.pack(">I", 100_000)),)).replace(
        b"\1\x86\xa0", b"\1\x86\xa1"
    )
    assert decode(unsound, POLICY).notes == ("damaged side chunks skipped",)
    late = png_of(np.asarray(quarters()))[:-12] + png_chunk(b"zTXt", b"k\0\7x") + png_chunk(b"IEND", b"")
    assert np.array_equal(decode(late, POLICY).pixels, np.asarray(quarters()))


def test_absurd_tiffs_are_refused() -> None:
    """Tiles far larger than the image, or strips by the thousand for one row, are refused before libtiff sees them."""
    pixels = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ImageTooLarge, match="tiles of 65,520 x 65,520"):
        decode(tiff_of(pixels, t322=65_520, t323=65_520, t324=8, t325=48), POLICY)
    many = tiff_of(pixels)
    at = many.index(struct.pack("<HHI", 273, 4, 1))
    with pytest.raises(DecoderFailed, match="5,000,000 strips"):
        decode(many[: at + 4] + struct.pack("<I", 5_000_000) + many[at + 8 :], POLICY)


def test_a_tiff_that_chains_its_pages_in_a_ring_ends() -> None:
    """Directories that point back to the first are counted once."""
    content = tiff_of(np.zeros((4, 4, 3), np.uint8))
    (first,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, first)
    at = first + 2 + 12 * entries
    assert count_frames(content[:at] + struct.pack("<I", first) + content[at + 4 :]) == 1


def test_a_hundred_thousand_frames_are_counted_by_their_structure() -> None:
    """Counting frames walks the file without decoding, so that even absurd animations are counted."""
    one = saved(quarters("P"), "GIF")
    image = one[one.index(b"\x2c", 13 + (6 << (one[10] & 7))) : -1]
    assert count_frames(one[:-1] + image * 99_999 + b";") == 100_000


def test_an_animation_cannot_claim_frames_that_it_lacks() -> None:
    """An APNG that announces four billion frames has as many as it stores."""
    frames = saved(quarters(), "PNG", save_all=True, append_images=[quarters().rotate(90)])
    at = frames.index(b"acTL")
    claim = png_chunk(b"acTL", struct.pack(">II", 0x7FFFFFFF, 0))
    assert count_frames(frames[: at - 4] + claim + frames[at + 16 :]) == 2


WHOLE_IN_HALF = {"GIF animated", "PNG animated", "TIFF pages"}
TRUNCATED = {name: content for name, content in sample_files().items() if name not in ("ICO", "ICNS", "MSP")}


@pytest.mark.parametrize("name", TRUNCATED)
def test_half_a_file_is_called_truncated(name: str) -> None:
    """The first half of a file of any format fails as truncated, unless the frame asked for is in it."""
    content = TRUNCATED[name][: len(TRUNCATED[name]) // 2]
    refusal = _refusal(content)
    if refusal is not None:
        assert isinstance(refusal, TruncatedImage)
        assert f"{len(content):,} bytes" in str(refusal)
    else:
        assert name in WHOLE_IN_HALF


def _half(kind: str, **options: object) -> tuple[bytes, np.ndarray]:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    content = saved(Image.fromarray(noise), kind, **options)
    whole = decode(content, POLICY).pixels
    return content[: len(content) * 2 // 3], whole


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TGA", "PPM", "TIFF", "GIF"])
def test_a_truncated_image_can_be_filled(kind: str) -> None:
    """With "fill", what is there is decoded exactly, the rest is left empty, and a note says so."""
    content, whole = _half(kind)
    decoded = decode(content, DecodePolicy(truncated="fill"))
    assert decoded.notes == ("truncated: rest filled",)
    top, bottom = slice(0, 1), slice(47, 64)
    first, last = (slice(48, 64), slice(0, 16)) if kind in ("BMP", "TGA") else (top, bottom)
    # ^ these two store the lowest row first; a GIF's rows are interlaced
    assert np.array_equal(decoded.pixels[first], whole[first])
    assert not np.array_equal(decoded.pixels[last], whole[last])


def test_a_progressive_jpeg_is_filled_too() -> None:
    """A progressive JPEG, which libjpeg shows only once it has seen an end, is filled from the scans that are there."""
    content, whole = _half("JPEG", progressive=True)
    decoded = decode(content, DecodePolicy(truncated="fill"))
    assert decoded.notes == ("truncated: rest filled",)
    assert np.abs(decoded.pixels.astype(int) - whole).mean() < 60
    with pytest.raises(TruncatedImage):
        decode(content[:100], DecodePolicy(truncated="fill"))


def test_filling_needs_something_to_show() -> None:
    """A file that ends in its header is truncated whatever the policy."""
    with pytest.raises(TruncatedImage):
        decode(saved(quarters(), "PNG")[:30], DecodePolicy(truncated="fill"))
    with pytest.raises(TruncatedImage):
        decode(saved(quarters(), "BMP")[:56], DecodePolicy(truncated="fill"))


def test_filling_leaves_pillow_as_it_was() -> None:
    """Neither limits nor leniency of one decode are left behind in Pillow's process-wide settings."""
    from PIL import ImageFile

    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    decode(_half("JPEG")[0], DecodePolicy(truncated="fill"))
    with pytest.raises(ImageTooLarge):
        decode(bomb_png(9000, 9000), DecodePolicy(max_pixels=1000))
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before


def test_threads_share_pillow() -> None:
    """Decodes in many threads at once, some of them refused, keep to their own limits and restore Pillow's."""
    before = Image.MAX_IMAGE_PIXELS
    content = saved(quarters("RGB", 64), "PNG")

    def attempt(number: int) -> bool:
        return _refusal(content, DecodePolicy(max_pixels=5000 if number % 2 else 4000)) is None

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(attempt, range(400))) == [bool(number % 2) for number in range(400)]
    assert before == Image.MAX_IMAGE_PIXELS


def test_heic_without_its_decoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """An iPhone's photo is refused with the name of the extra that reads it."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnsupportedImage, match=r"pip install flatpipe\[heif\]"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), POLICY)


def test_heic_is_read_where_its_decoder_is() -> None:
    """With the extra installed, HEIC decodes like any other format."""
    pillow_heif = pytest.importorskip("pillow_heif")
    if not pillow_heif.libheif_info()["encoders"]:
        pytest.skip("no HEIF encoder here to make a sample with")
    pillow_heif.register_heif_opener()
    decoded = decode(saved(quarters("RGB", 64), "HEIF", quality=100), POLICY)
    assert decoded.format == "HEIF"
    assert np.abs(decoded.pixels[8, 8].astype(int) - np.asarray(quarters())[0, 0]).max() <= 8


def test_messages_say_the_same_every_time() -> None:
    """An error's message holds no address or other accident of the run."""
    damaged = saved(quarters(), "PNG").replace(b"IHDR", b"IHDX")
    messages = set()
    for _ in range(3):
        with pytest.raises(DecoderFailed) as caught:
            decode(damaged, POLICY)
        messages.add(str(caught.value))
    assert len(messages) == 1
    assert "0x" not in messages.pop()


def test_c_libraries_are_kept_off_the_screen() -> None:
    """libtiff's complaints go nowhere, while Python's own messages, logged ones included, still appear."""
    code = (
        "import logging, sys; logging.basicConfig(); from flatpipe.system.c_libraries import silence_c_libraries\n"
        "silence_c_libraries(); silence_c_libraries()\n"
        "import os; os.write(2, b'from C'); print('from Python', file=sys.stderr); logging.warning('from a log')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert run.stderr == "from Python\nWARNING:root:from a log\n"
