"""What a file's header promises, and whether that is within the limits: no pixel is decoded here."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import ImageFile

from flatpipe.decode.deep_pixels import low_byte_rawmode
from flatpipe.errors import ImageTooLarge
from flatpipe.settings import DecodePolicy
from flatpipe.text import in_bytes

_PEAK_BYTES = {"1": 12, "L": 12, "P": 12, "RGB": 15, "RGBA": 16, "CMYK": 15, "I;16": 14, "I;16B": 14}
_PEAK_BYTES_OTHERWISE = 18
_PEAK_BYTES_MORE = {"WEBP": 10, "AVIF": 4, "HEIF": 4, "JPEG2000": 10, "DDS": 50}
_PEAK_BYTES_DEEP = 14
_PEAK_BYTES_FRAMES = 8
# ^ resident bytes per pixel at the worst moment of decoding, measured: per mode; more for decoders with buffers of
#   their own; for 16-bit colour, which is decoded twice; for animations, whose last frame is kept


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What is known of an image before its pixels are decoded."""

    format: str
    width: int
    height: int
    mode: str
    # ^ Pillow's pixel mode
    n_frames: int = 1
    deep: bool = False
    # ^ colour of 16 bits a sample

    @property
    def pixels(self) -> int:
        """Number of pixels of one frame."""
        return self.width * self.height

    @property
    def peak_bytes(self) -> int:
        """Estimate of the memory that decoding one frame takes at its worst moment."""
        each = _PEAK_BYTES.get(self.mode, _PEAK_BYTES_OTHERWISE) + _PEAK_BYTES_MORE.get(self.format, 0)
        return self.pixels * (each + _PEAK_BYTES_DEEP * self.deep + _PEAK_BYTES_FRAMES * (self.n_frames > 1))


def header_of(image: ImageFile.ImageFile, kind: str, n_frames: int) -> ImageHeader:
    """Header of the current frame of an opened image."""
    width, height = image.size
    return ImageHeader(kind, width, height, image.mode, n_frames, low_byte_rawmode(image) is not None)


def check_limits(header: ImageHeader, policy: DecodePolicy) -> None:
    """Raise ImageTooLarge, with the numbers, when decoding would exceed the policy's pixels or bytes."""
    size = f"{header.width:,} x {header.height:,}"
    if header.pixels > policy.max_pixels:
        raise ImageTooLarge(f"{size} is {header.pixels:,} pixels; limits.max_pixels is {policy.max_pixels:,}")
    if policy.max_bytes is not None and header.peak_bytes > policy.max_bytes:
        raise ImageTooLarge(
            f"{size} ({header.mode}) takes about {in_bytes(header.peak_bytes)} to decode; "
            f"this worker's share is {in_bytes(policy.max_bytes)}"
        )
