"""A flat image as the record of its task."""

from __future__ import annotations

import hashlib

from flatpipe.quantize.flatten import FlatImage
from flatpipe.records import FlattenResult


def flatten_result(image_id: str, k: int, flat: FlatImage, content: bytes, seconds: float) -> FlattenResult:
    """The record of a flat image whose file holds `content`."""
    return FlattenResult(
        image_id=image_id,
        k=k,
        n_colors=len(flat.palette),
        mse=float(flat.mse),
        palette=tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in flat.palette.tolist()),
        weights=tuple(flat.weights.tolist()),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        seconds=seconds,
    )
