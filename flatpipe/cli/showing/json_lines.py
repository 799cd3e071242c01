"""What `--json` prints: one JSON object a line, on stdout. docs/json.md has every field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flatpipe import layout
from flatpipe.cli.showing.speaking import write_line
from flatpipe.ledger.rows import flat_of
from flatpipe.quantize.knee import psnr

if TYPE_CHECKING:
    from flatpipe.proof.parts import PartStatus
    from flatpipe.records import ImageRecord, ImageSource
    from flatpipe.report.gallery_rows import GalleryImage
    from flatpipe.running.one_picture import OnePicture


def print_json(content: dict[str, object]) -> None:
    """Write one JSON line to stdout, its fractions to six digits: nobody has measured more."""
    short = json.loads(json.dumps(content, allow_nan=False), parse_float=_in_six_digits)
    write_line(json.dumps(short, sort_keys=True))


def image_line(record: ImageRecord, name_width: int) -> dict[str, object]:
    """What became of one image: what the run's log keeps, and of each flat image its file, PSNR and colours."""
    told: dict[str, object] = json.loads(record.line)
    flats = told["flats"]
    assert isinstance(flats, list)
    folder = layout.image_folder(record.source.image_id)
    for line, row in zip(flats, record.flat_rows, strict=False):
        flat = flat_of(row)
        line["file"] = f"{folder}/{layout.flat_name(flat.k, name_width)}" if flat.sha256 else ""
        line["psnr"], line["colors"] = _psnr(flat.mse), flat.palette
    return told


def _in_six_digits(number: str) -> float:
    return float(f"{float(number):.6g}")


def _psnr(mse: float) -> float | None:
    """In dB; None when no pixel changed."""
    return psnr(mse) if mse else None


def part_line(part: PartStatus) -> dict[str, object]:
    """How far one part of a run is."""
    counts = {"images": part.images, "done": part.done, "failed": part.failed, "left": part.left}
    run = {"run_id": part.run_id, "started": part.started}
    return {"event": "part", "part": str(part.part), "state": part.state, "why": part.why, **counts, **run}


def best_line(image: GalleryImage) -> dict[str, object]:
    """The k chosen for an image; psnr is null when no pixel changed."""
    best = image.suggested
    file = f"{layout.image_folder(image.image_id)}/{layout.BEST}" if best and best.sha256 else ""
    quality = _psnr(best.mse) if best else None
    chosen = {"k": best.k if best else None, "psnr": quality, "reached": not image.shortfall}
    return {"event": "best", "image": image.image_id, "file": file, **chosen}


def picture_line(source: ImageSource, file: str, picture: OnePicture) -> dict[str, object]:
    """One picture that was asked for by its file's name."""
    failure = picture.failure
    told = None if failure is None else {"stage": failure.stage, "error": failure.error, "message": failure.message}
    size = {"width": picture.width, "height": picture.height, "bytes": picture.bytes, "sha256": picture.sha256}
    flats = [
        {"k": flat.k, "n_colors": flat.n_colors, "psnr": _psnr(flat.mse), "colors": flat.palette}
        for flat in picture.flats
    ]
    return {"event": "picture", "image": source.path, "file": file, **size, "flats": flats, "failure": told}
