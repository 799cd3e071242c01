"""A file opened by its one permitted decoder, within the limits, turned to the frame that is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from PIL import Image, ImageFile

from flatpipe.decode.file_end import ends_early
from flatpipe.decode.formats import is_sound_bitmap
from flatpipe.decode.frames import count_stored_frames
from flatpipe.decode.header import ImageHeader, check_limits, header_of
from flatpipe.decode.pillow_guard import DECODER_ERRORS, ImageBytes, decoder_errors, pillow_within
from flatpipe.decode.tiff_rules import check_tiff, rare_compression
from flatpipe.errors import DecoderFailed, UnsupportedImage
from flatpipe.settings import DecodePolicy

_STILLS = frozenset({"JPEG", "PSD", "ICO", "CUR", "ICNS"})
# ^ formats with one picture for us, though the file may hold others: previews, gain maps, layers, smaller icons


@dataclass(slots=True)
class OpenedImage:
    """An opened image, its pixels not decoded yet, and the notes gathered so far."""

    image: ImageFile.ImageFile
    header: ImageHeader
    source: ImageBytes
    policy: DecodePolicy
    notes: list[str] = field(default_factory=list)

    def turn_to(self, frame: int) -> None:
        """Move to a frame (0-based), compositing those before it; DecoderFailed when there is no such frame."""
        count = self.header.n_frames
        if not 0 <= frame < count:
            raise DecoderFailed(f"{self.header.format}: there is no frame {frame + 1}, the file has {count}")
        if count > 1:
            self.notes.append(f"frame {frame + 1} of {count}")
        if frame > 0:
            self.image.seek(frame)
            self.header = header_of(self.image, self.header.format, count)
            check_limits(self.header, self.policy)

    def load(self) -> None:
        """Decode the pixels; a truncated file's missing part stays empty when the policy says "fill"."""
        try:
            self.image.load()
        except DECODER_ERRORS as error:
            compression = rare_compression(self.source.getvalue()) if self.header.format == "TIFF" else None
            if compression is not None:
                raise UnsupportedImage(f"TIFF: {compression} compression is not in this decoder") from error
            if self.policy.truncated == "fail" or self.header.format == "JPEG" or not self._ends_early():
                # ^ a JPEG is filled better by its own decoder: see decode.repair
                raise
            self.image.tile = []
            self.image.load()
            # ^ without tiles left this only hands out what was decoded before the end, and raises when that is nothing
            if self.image.getbbox(alpha_only=False) is None:
                raise
            self.notes.append("truncated: rest filled")
        else:
            if self.header.format == "TIFF" and self._ends_early():
                self.notes.append("the file ends before its last strip")
                # ^ libtiff hands out what it has of a strip as if it were whole

    def _ends_early(self) -> bool:
        return ends_early(self.header.format, self.source.getvalue(), self.source.ran_out)


@contextmanager
def open_image(kind: str, content: bytes, policy: DecodePolicy) -> Iterator[OpenedImage]:
    """Open the bytes with the decoder named `kind` for the body's duration; raises ImageError only, whatever happens.

    The limits are checked before the body runs, that is before any pixel is allocated.
    """
    source = ImageBytes(content)
    with pillow_within(_pixel_limit(policy)), decoder_errors(kind, source):
        if kind == "TIFF":
            check_tiff(content, policy)
        if kind == "HEIF":
            _allow_heif()
        with _begin(kind, content, source) as image:
            n_frames = _count_frames(kind, content, image)
            header = header_of(image, kind, n_frames)
            check_limits(header, policy)
            yield OpenedImage(image, header, source, policy)


def _allow_heif() -> None:
    try:
        from pillow_heif import options, register_heif_opener
    except ImportError as error:
        raise UnsupportedImage("HEIC/HEIF needs a decoder that is not installed: pip install flatpipe[heif]") from error
    if "HEIF" not in Image.OPEN:
        register_heif_opener()
        options.DECODE_THREADS = 1
        # ^ one worker process, one compute thread


def _begin(kind: str, content: bytes, source: ImageBytes) -> ImageFile.ImageFile:
    """The decoder's image, header read. Image.open() would try the same one decoder, but swallow what it says."""
    if kind not in Image.OPEN:
        Image.preinit()
    if kind not in Image.OPEN:
        Image.init()
    decoder, _ = Image.OPEN[kind]
    try:
        opened: ImageFile.ImageFile = decoder(source, "")
    except DECODER_ERRORS as error:
        if kind in ("BMP", "DIB") and not source.ran_out and is_sound_bitmap(content):
            raise UnsupportedImage(f"BMP: a variant that we do not read: {error}") from error
        raise
    return opened


def _count_frames(kind: str, content: bytes, image: ImageFile.ImageFile) -> int:
    if kind in _STILLS:
        return 1
    stored = count_stored_frames(kind, content)
    return int(getattr(image, "n_frames", 1)) if stored is None else stored


def _pixel_limit(policy: DecodePolicy) -> int:
    if policy.max_bytes is None:
        return policy.max_pixels
    return min(policy.max_pixels, max(1, policy.max_bytes // 8))
