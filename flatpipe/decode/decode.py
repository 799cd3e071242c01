"""Any image file's bytes -> sRGB pixels and alpha, with notes of what was done to get there.

The policy, one line per stage: judge the format by content; check the limits; take the wanted frame; decode; reduce to
8 bits; convert the colour profile to sRGB; turn upright; settle the alpha. docs/decoding.md has it as a table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.decode.apart.effort import Patience, check_patience
from flatpipe.decode.background import composited
from flatpipe.decode.color_profile import convert_to_srgb
from flatpipe.decode.deep_pixels import low_byte_rawmode, use_rawmode
from flatpipe.decode.formats import sniff
from flatpipe.decode.frames import count_stored_frames
from flatpipe.decode.header import ImageHeader
from flatpipe.decode.opened import OpenedImage, open_image
from flatpipe.decode.orientation import read_orientation, turn_upright
from flatpipe.decode.planes import Planes, grey_alpha_planes, planes_of, rgb_pixels
from flatpipe.decode.reductions import depth_note, gamma_note
from flatpipe.decode.repair import repaired
from flatpipe.errors import DecoderFailed, TruncatedImage
from flatpipe.settings import DecodePolicy


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """One image, or one frame of it, ready to be flattened. Its arrays are read-only: many tasks share them."""

    pixels: NDArray[np.uint8]
    # ^ (H, W, 3) sRGB, C-contiguous
    alpha: NDArray[np.uint8] | None
    # ^ (H, W) opacity as stored; None when every pixel is opaque or transparency was composited
    notes: tuple[str, ...]
    # ^ what was done to the image, in order: "16 bit scaled to 8", "rotated (EXIF 6)"
    format: str
    # ^ Pillow's name of the format, judged by content: "JPEG"
    n_frames: int
    image: Image.Image | None = None
    # ^ the same pixels as Pillow holds them, in mode RGB; None where it holds others, or opacity with them

    def __reduce__(self) -> tuple[type[DecodedImage], tuple[object, ...]]:
        """What another process is sent: all but the image, which is as large as the pixels again."""
        return DecodedImage, (self.pixels, self.alpha, self.notes, self.format, self.n_frames)


def decode(content: bytes, policy: DecodePolicy, frame: int = 0, here: Patience | None = None) -> DecodedImage:
    """Decode one frame (0-based) of an image file; raises subclasses of ImageError, and TakesLong where `here` says so.

    NotAnImage and UnsupportedImage before any decoder runs, ImageTooLarge and TakesLong from the header, TruncatedImage
    and DecoderFailed from the decoder.
    """
    kind = sniff(content)
    try:
        return _decode_as(kind, content, policy, frame, here)
    except (DecoderFailed, TruncatedImage) as error:
        repair = repaired(kind, content, policy, error)
        if repair is None:
            raise
    decoded = _decode_as(kind, repair.content, policy, frame, here)
    return replace(decoded, notes=(*decoded.notes, repair.note))


def read_header(content: bytes, policy: DecodePolicy | None = None) -> ImageHeader:
    """Format, size, mode and frame count of an image file, no pixel being decoded; raises subclasses of ImageError."""
    with open_image(sniff(content), content, policy or DecodePolicy()) as opened:
        return opened.header


def count_frames(content: bytes, policy: DecodePolicy | None = None) -> int:
    """Frames or pages that decode() can be asked for, counted without decoding; raises subclasses of ImageError."""
    kind = sniff(content)
    stored = count_stored_frames(kind, content)
    return read_header(content, policy).n_frames if stored is None else stored


def _decode_as(kind: str, content: bytes, policy: DecodePolicy, frame: int, here: Patience | None) -> DecodedImage:
    with open_image(kind, content, policy) as opened:
        if here is not None:
            check_patience(opened.image, opened.header, content, frame, here)
        opened.turn_to(frame)
        orientation = read_orientation(opened.image) if kind == "TIFF" else 1
        planes = _load_planes(opened, content, frame)
        if kind != "TIFF":
            orientation = read_orientation(opened.image)
        color, profile_note = convert_to_srgb(planes.color, opened.image.info.get("icc_profile"))
        notes = [*opened.notes, planes.note, profile_note, gamma_note(opened.image.info)]
        n_frames = opened.header.n_frames
    if orientation != 1:
        notes.append(f"rotated (EXIF {orientation})")
    alpha = planes.alpha
    if orientation != 1 and kind != "TIFF":
        # ^ Pillow turns TIFF by itself while loading
        color = turn_upright(color, orientation)
        alpha = None if alpha is None else np.asarray(turn_upright(Image.fromarray(alpha), orientation))
    settled = _settled(rgb_pixels(color), alpha, policy, [note for note in notes if note], kind, n_frames)
    return replace(settled, image=color) if alpha is None and color.mode == "RGB" else settled


def _load_planes(opened: OpenedImage, content: bytes, frame: int) -> Planes:
    low_rawmode = low_byte_rawmode(opened.image)
    if low_rawmode is None:
        opened.load()
        planes = planes_of(opened.image, _grey_bits(opened.header, content))
        planes.note = planes.note or depth_note(opened.header.format, opened.image.mode, content, opened.image.info)
        return planes
    if frame > 0 and opened.header.format != "TIFF":
        opened.load()
        return replace(planes_of(opened.image), note="16 bit truncated to 8 (animation)")
    if low_rawmode == "RGBA":
        use_rawmode(opened.image, low_rawmode)
        opened.load()
        return grey_alpha_planes(np.asarray(opened.image))
    opened.load()
    return planes_of(opened.image, low_bytes=_low_bytes(opened, content, low_rawmode, frame))


def _grey_bits(header: ImageHeader, content: bytes) -> int:
    """Bits per grey sample in the file, where Pillow's mode does not tell."""
    if header.format == "PNG":
        return content[24]
    return 16 if header.format == "PPM" or header.mode.startswith("I;16") else 32
    # ^ Pillow scales a PPM's deep greys to 16 bits itself; only TIFF has 32, and says so in its tags


def _low_bytes(opened: OpenedImage, content: bytes, rawmode: str, frame: int) -> NDArray[np.uint8]:
    with open_image(opened.header.format, content, opened.policy) as again:
        again.turn_to(frame)
        use_rawmode(again.image, rawmode)
        again.load()
        return np.asarray(again.image)


def _settled(
    pixels: NDArray[np.uint8],
    alpha: NDArray[np.uint8] | None,
    policy: DecodePolicy,
    notes: list[str],
    kind: str,
    n_frames: int,
) -> DecodedImage:
    """The decoded image with its alpha dropped if opaque, composited if the policy has a background, else kept."""
    if alpha is not None and alpha.min() == 255:
        alpha = None
    if alpha is not None and policy.alpha != "keep":
        pixels, alpha = composited(pixels, alpha, policy.alpha), None
        notes = [*notes, f"transparency composited over {policy.alpha}"]
    if alpha is not None:
        alpha.flags.writeable = False
        # ^ as the pixels are, which lie in a bytes object
    return DecodedImage(pixels, alpha, tuple(notes), kind, n_frames)
