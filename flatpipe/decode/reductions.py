"""Notes on what a decoder did, or left undone, of its own accord: depth that it gave up, gamma that it ignored."""

from __future__ import annotations

from typing import Any

_USUAL_GAMMA = 1 / 2.2
_GAMMA_TOLERANCE = 0.02
_CODESTREAM = b"\xff\x4f\xff\x51"
_DEPTH_AT = 42
# ^ JPEG 2000: bytes from the codestream's first marker to the depth of its first component (ISO 15444-1, A.5.1)


def depth_note(kind: str, mode: str, content: bytes, info: dict[Any, Any]) -> str | None:
    """A note when the decoder reduced deeper colours to 8 bits by itself; None when the file has no more than 8."""
    if mode.startswith(("I", "F")):
        return None
    bits = _stored_bits(kind, content, info)
    return f"{bits} bit reduced to 8 by the decoder" if bits > 8 else None


def _stored_bits(kind: str, content: bytes, info: dict[Any, Any]) -> int:
    if kind == "JPEG2000":
        at = content.find(_CODESTREAM) + _DEPTH_AT
        return (content[at] & 0x7F) + 1 if at < len(content) else 8
    if kind == "SGI":
        return content[3] * 8
    bits = info.get("bit_depth", 8)
    # ^ HEIF
    return bits if isinstance(bits, int) else 8


def gamma_note(info: dict[Any, Any]) -> str | None:
    """A note when a PNG asks for a gamma other than sRGB's and has no profile that says more; it is not applied."""
    gamma = info.get("gamma")
    if not isinstance(gamma, float) or "icc_profile" in info or "srgb" in info:
        return None
    return None if abs(gamma - _USUAL_GAMMA) <= _GAMMA_TOLERANCE else f"gamma {gamma:.3g} ignored"
