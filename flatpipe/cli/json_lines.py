"""What `--json` prints: one JSON object a line, on stdout. docs/json.md has every field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flatpipe import layout
from flatpipe.cli.speaking import write_line
from flatpipe.quantize.knee import psnr

if TYPE_CHECKING:
    from flatpipe.report.gallery_rows import GalleryImage


def print_json(content: dict[str, object]) -> None:
    """Write one JSON line to stdout."""
    write_line(json.dumps(content, sort_keys=True, allow_nan=False))


def best_line(image: GalleryImage) -> dict[str, object]:
    """The k chosen for an image; psnr is null when no pixel changed."""
    best = image.suggested
    file = f"{layout.image_folder(image.image_id)}/{layout.BEST}"
    quality = psnr(best.mse) if best and best.mse else None
    chosen = {"k": best.k if best else None, "psnr": quality, "reached": not image.shortfall}
    return {"event": "best", "image": image.image_id, "file": file, **chosen}
