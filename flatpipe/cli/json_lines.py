"""What `--json` prints: one JSON object a line, on stdout. docs/json.md has every field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flatpipe import layout
from flatpipe.cli.speaking import write_line
from flatpipe.quantize.knee import psnr

if TYPE_CHECKING:
    from flatpipe.records import ImageSource
    from flatpipe.report.gallery_rows import GalleryImage
    from flatpipe.running.one_picture import OnePicture


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


def picture_line(source: ImageSource, file: str, picture: OnePicture) -> dict[str, object]:
    """One picture that was asked for by its file's name."""
    failure = picture.failure
    told = None if failure is None else {"stage": failure.stage, "error": failure.error, "message": failure.message}
    size = {"width": picture.width, "height": picture.height, "bytes": picture.bytes, "sha256": picture.sha256}
    flats = [
        {"k": flat.k, "n_colors": flat.n_colors, "psnr": psnr(flat.mse) if flat.mse else None, "colors": flat.palette}
        for flat in picture.flats
    ]
    return {"event": "picture", "image": source.path, "file": file, **size, "flats": flats, "failure": told}
