"""MP4 (H.264) and WebM (VP9): sweeps that players, editors and browsers take; lossy, and without opacity.

The encoders run on one thread and, where they offer it, without regard to the processor, so that the bytes depend on
frames and versions alone. PyAV is imported when a video is written: it is the extra `video`.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.fade import pixels_between
from flatpipe.encode.frames import Alpha, Canvas, EncodedFrame, Original, Picture, pixels_of
from flatpipe.environment import missing_codecs
from flatpipe.errors import UnsupportedImage
from flatpipe.vocabulary import SHORTEST_MS, VideoFormat

_CLOCK = Fraction(1, 1000)
# ^ seconds in which frames are timed: milliseconds
_TO_YUV = "flags=bitexact+accurate_rnd+full_chroma_int+area:out_color_matrix=bt709:out_range=tv"
# ^ the same bytes on every processor
_BT709, _LIMITED_RANGE = 1, 1
# ^ ITU-T H.273 for primaries, transfer and matrix; and levels from 16 to 235: what players take for granted
_PACKED = 1
# ^ level at which frames wait for the file: planes of flat areas shrink at any


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one container is filled."""

    name: str
    options: Mapping[str, str]


_CODECS: dict[VideoFormat, _Codec] = {
    "mp4": _Codec(
        "libx264",
        {
            "crf": "18",
            "preset": "medium",
            "x264-params": "threads=1:cpu-independent=1:bframes=0:rc-lookahead=0:mbtree=0",
            # ^ looking ahead would hold forty frames in memory, and flat frames have nothing to look ahead for
        },
    ),
    "webm": _Codec(
        "libvpx-vp9",
        {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "0", "lag-in-frames": "0"},
    ),
}


def shown(original: Original) -> Picture:
    """The original."""
    return original.pixels


def frame(picture: Picture, alpha: Alpha, milliseconds: int) -> EncodedFrame:
    """The planes of one frame, packed; what is transparent is on white."""
    return EncodedFrame(zlib.compress(_planes(_on_white(pixels_of(picture), alpha)).data, _PACKED), milliseconds)


def fade(before: Picture, after: Picture, alpha: Alpha, n_frames: int, milliseconds: int) -> list[EncodedFrame]:
    """The frames between two pictures."""
    return [frame(pixels, alpha, milliseconds) for pixels in pixels_between(before, after, n_frames)]


def join_mp4(frames: Sequence[EncodedFrame], canvas: Canvas) -> bytes:
    """The MP4 of packed frames, its table of contents at the front."""
    room = 4096 + 64 * len(frames)
    # ^ bytes kept free there: an entry takes at most 44, the rest under 1 kB
    return _joined("mp4", frames, canvas, {"moov_size": str(room), "video_track_timescale": "1000"})


def join_webm(frames: Sequence[EncodedFrame], canvas: Canvas) -> bytes:
    """The WebM of packed frames."""
    return _joined("webm", frames, canvas, {})


def _joined(
    kind: VideoFormat, frames: Sequence[EncodedFrame], canvas: Canvas, container_options: Mapping[str, str]
) -> bytes:
    av, file = _av(), io.BytesIO()
    height, width = canvas.height + canvas.height % 2, canvas.width + canvas.width % 2
    with av.open(file, "w", format=kind, options={"fflags": "+bitexact", **container_options}) as container:
        codec = _CODECS[kind]
        stream = container.add_stream(codec.name, rate=1000 // SHORTEST_MS, options=dict(codec.options))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.time_base = width, height, "yuv420p", _CLOCK
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range, context.thread_count = _LIMITED_RANGE, 1
        context.flags |= av.codec.context.Flags.bitexact
        for begin, content in _timed(frames):
            planes = np.frombuffer(zlib.decompress(content), dtype=np.uint8).reshape(height * 3 // 2, width)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = begin, _CLOCK
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return file.getvalue()


def _timed(frames: Sequence[EncodedFrame]) -> Iterator[tuple[int, bytes]]:
    """When each frame begins, in milliseconds, and its content; the last stands once more at its end.

    A frame of a video lasts until the next one begins, and nothing in the file says so of the last.
    """
    begin = 0
    for one in frames:
        yield begin, one.content
        begin += one.milliseconds
    if frames[-1].milliseconds > SHORTEST_MS:
        yield begin - SHORTEST_MS, frames[-1].content


def _planes(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels (h, w, 3) as planes of Y, U and V below each other; odd sides are made even with their last pixels."""
    av = _av()
    even = np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)), mode="edge")
    graph = av.filter.Graph()
    source = graph.add_buffer(width=even.shape[1], height=even.shape[0], format="rgb24", time_base=_CLOCK)
    steps = [source, graph.add("scale", _TO_YUV), graph.add("format", "yuv420p"), graph.add("buffersink")]
    graph.link_nodes(*steps).configure()
    graph.push(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24"))
    planes: NDArray[np.uint8] = graph.pull().to_ndarray()
    return np.ascontiguousarray(planes)


def _on_white(pixels: NDArray[np.uint8], alpha: Alpha) -> NDArray[np.uint8]:
    if alpha is None:
        return pixels
    part = alpha[..., None].astype(np.uint32)
    white: NDArray[np.uint8] = ((pixels * part + 255 * (255 - part) + 127) // 255).astype(np.uint8)
    return white


def _av() -> Any:
    """PyAV; raises UnsupportedImage where it is not installed."""
    try:
        import av
        import av.filter
    except ImportError as error:
        raise UnsupportedImage(missing_codecs("mp4") or f"PyAV cannot be imported: {error}") from error
    return av
