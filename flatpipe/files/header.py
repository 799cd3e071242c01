"""What a file's header promises, and whether that is within the limits: no pixel is decoded here."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from flatpipe.errors import ImageTooLarge
from flatpipe.records import DecodePolicy

_BYTES_PER_PIXEL = {"1": 11, "L": 11, "P": 15, "RGB": 11, "RGBA": 15, "CMYK": 15}
_BYTES_PER_DEEP_PIXEL = 32
# ^ peak of resident memory while decoding, measured per Pillow mode; the deep and rare ones share the worst


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What is known of an image before its pixels are decoded."""

    format: str
    width: int
    height: int
    mode: str
    # ^ Pillow's pixel mode
    n_frames: int = 1

    @property
    def pixels(self) -> int:
        """Number of pixels of one frame."""
        return self.width * self.height

    @property
    def peak_bytes(self) -> int:
        """Estimate of the memory that decoding one frame takes at its worst moment."""
        return self.pixels * _BYTES_PER_PIXEL.get(self.mode, _BYTES_PER_DEEP_PIXEL)


def header_of(image: Image.Image, kind: str, n_frames: int) -> ImageHeader:
    """Header of the current frame of an opened image."""
    width, height = image.size
    return ImageHeader(kind, width, height, image.mode, n_frames)


def check_limits(header: ImageHeader, policy: DecodePolicy) -> None:
    """Raise ImageTooLarge, with the numbers, when decoding would exceed the policy's pixels or bytes."""
    size = f"{header.width:,} x {header.height:,}"
    if header.pixels > policy.max_pixels:
        raise ImageTooLarge(f"{size} is {header.pixels:,} pixels; limits.max_pixels is {policy.max_pixels:,}")
    if policy.max_bytes is not None and header.peak_bytes > policy.max_bytes:
        raise ImageTooLarge(
            f"{size} ({header.mode}) takes about {header.peak_bytes:,} bytes to decode; "
            f"this worker's share is {policy.max_bytes:,}"
        )
