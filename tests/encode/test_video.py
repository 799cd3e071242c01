"""Sweeps as MP4 and WebM, read back by PyAV."""

from __future__ import annotations

import io
import sys
from typing import Any, get_args

import numpy as np
import pytest
from flat_builders import patchy_flat, soft_disc

from flatpipe.encode import video
from flatpipe.encode.animation import encode_animation
from flatpipe.encode.frames import Original
from flatpipe.errors import UnsupportedImage
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.settings import AnimationOptions
from flatpipe.vocabulary import VideoFormat

av = pytest.importorskip("av", reason="the extra `video` is not installed")
FORMATS: tuple[VideoFormat, ...] = get_args(VideoFormat)


def blocks(height: int, width: int, seed: int) -> PaletteImage:
    """A picture of plain squares of 16 pixels: colour is halved in a video, and squares lose little by it."""
    coarse = patchy_flat(-(-height // 16), -(-width // 16), 5, seed)
    return PaletteImage(coarse.palette, coarse.label_map.repeat(16, axis=0).repeat(16, axis=1)[:height, :width])


def frames_of(content: bytes) -> list[tuple[int, np.ndarray]]:
    """Milliseconds at which each frame begins, and its pixels (h, w, 3)."""
    with av.open(io.BytesIO(content)) as container:
        return [(round(frame.time * 1000), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


@pytest.mark.parametrize("fade", [0, 1])
@pytest.mark.parametrize("size", [(96, 128), (51, 77)])
@pytest.mark.parametrize("format_", FORMATS)
def test_a_video_shows_every_frame_at_its_time(format_: VideoFormat, size: tuple[int, int], fade: int) -> None:
    """Flats and original come back within a few levels, when they should; the last one stays for all of its time."""
    flats = {k: blocks(*size, k) for k in (2, 3)}
    original = blocks(*size, 9).flat
    options = AnimationOptions(format=format_, frame_ms=400, hold_ms=1500, fade=fade)
    found = frames_of(encode_animation(flats, Original(original), options))
    shown = found[:: fade + 1]

    assert [begin for begin, _ in found] == ([0, 400, 800, 2280] if fade == 0 else [0, 200, 400, 600, 800, 2280])
    for (_, pixels), wanted in zip(shown[:3], [flats[2].flat, flats[3].flat, original], strict=True):
        assert pixels.shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
        assert np.abs(pixels[: size[0], : size[1]].astype(int) - wanted).mean() < 4
        assert np.abs(pixels[-1].astype(int) - pixels[-2]).mean() < 4
    assert np.abs(found[-1][1].astype(int) - found[-2][1]).mean() < 1


@pytest.mark.parametrize(("format_", "codec"), [("mp4", "h264"), ("webm", "vp9")])
def test_a_video_says_how_its_colours_are_meant(format_: VideoFormat, codec: str) -> None:
    """4:2:0, BT.709 for all three, levels from 16 to 235: what QuickTime and browsers take; its length is told."""
    content = encode_animation(
        {2: blocks(64, 64, 2)}, Original(blocks(64, 64, 3).flat), AnimationOptions(format=format_)
    )
    with av.open(io.BytesIO(content)) as container:
        context = container.streams.video[0].codec_context
        tags = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)

        assert (context.name, context.pix_fmt) == (codec, "yuv420p")
        assert tags == (1, 1, 1, 1)
        assert container.duration == 1_900_000
        assert container.metadata.get("encoder", "Lavf") == "Lavf"
        assert "creation_time" not in container.metadata
    if format_ == "mp4":
        assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("format_", FORMATS)
def test_a_video_has_the_same_bytes_again(format_: VideoFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    """They depend on the frames alone, and where the encoder can do without this processor's instructions not on it."""
    flats, options = {k: blocks(51, 77, k) for k in (2, 3)}, AnimationOptions(format=format_, fade=2, captions=True)
    original = Original(np.random.default_rng(0).integers(0, 256, (51, 77, 3), np.uint8))
    content = encode_animation(flats, original, options)
    assert encode_animation(flats, original, options) == content

    x264: Any = video._CODECS["mp4"].options
    monkeypatch.setitem(x264, "x264-params", x264["x264-params"] + ":asm=0")
    assert encode_animation(flats, original, options) == content


@pytest.mark.parametrize("format_", FORMATS)
def test_what_is_transparent_is_on_white(format_: VideoFormat) -> None:
    """A video has no opacity: where nothing shows the frame is white, and between it is mixed."""
    alpha, flat = soft_disc(96, 96), PaletteImage(np.array([[200, 30, 30]], np.uint8), np.zeros((96, 96), np.uint8))
    (_, pixels), *_ = frames_of(
        encode_animation({1: flat}, Original(flat.flat, alpha), AnimationOptions(format=format_))
    )
    part = alpha[..., None] / 255

    assert np.abs(pixels - (flat.flat * part + 255 * (1 - part))).mean() < 4
    assert (pixels[0, 0] > 250).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (17, 2)])
@pytest.mark.parametrize("format_", FORMATS)
def test_the_smallest_images_become_videos(format_: VideoFormat, size: tuple[int, int]) -> None:
    """Sides of one pixel are made even like all others."""
    original = Original(patchy_flat(*size, 2).flat)
    found = frames_of(encode_animation({2: patchy_flat(*size, 2)}, original, AnimationOptions(format=format_)))
    assert len(found) == 3
    assert found[0][1].shape[:2] == tuple(side + side % 2 for side in size)


def test_a_video_without_pyav_is_an_image_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that lacks it says what to install."""
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr(video, "missing_codecs", lambda _: "pip install 'flatpipe[video]'")
    with pytest.raises(UnsupportedImage, match=r"flatpipe\[video\]"):
        video.frame(patchy_flat(4, 4, 2), None, 400)
