"""The gallery's data as scripts: a compact index that the page reads whole, details that it reads when asked.

Scripts, because a page opened from a disk may load those and may not fetch JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from flatpipe.files.layout import image_folder
from flatpipe.files.storage import is_url
from flatpipe.report.gallery_rows import GalleryFlat, GalleryImage, GallerySettings
from flatpipe.report.pictures.names import picture_key
from flatpipe.report.screen import printable

ROWS_PER_SHARD = 5000
# ^ images in one script of the index: half a megabyte, so that the first is there at once
DETAILS_PER_SHARD = 50
# ^ images in one script of details: about 100 kB, read when one of them is opened
_STRIP_COLORS = 24
# ^ most colours in the strip under a card


def index_script(shard: int, images: Sequence[GalleryImage], settings: GallerySettings) -> bytes:
    """Columns of the overview for `images`, the rows from `shard` * ROWS_PER_SHARD on."""
    shown = [image.suggested for image in images]
    names = [printable(image.image_id) for image in images]
    columns = {
        "names": names,
        "links": {row: link_of(image.image_id) for row, image in enumerate(images) if names[row] != image.image_id},
        "keys": "".join(picture_key(image.image_id) for image in images),
        "ks": [flat.k if flat else 0 for flat in shown],
        "mses": [_rounded(flat.mse) if flat else -1 for flat in shown],
        "colors": [image.distinct_colors for image in images],
        "palettes": [_strip(flat) if flat else "" for flat in shown],
        "pictures": "".join("01"[image.has_sweep and settings.pictures] for image in images),
        "errors": {row: _failure_text(image) for row, image in enumerate(images) if image.failure},
    }
    return _script("receiveRows", shard, columns)


def detail_script(shard: int, images: Sequence[GalleryImage], settings: GallerySettings, place: str) -> bytes:
    """All that the viewer shows of `images`, rows from `shard` * DETAILS_PER_SHARD on; `place` is the output root."""
    return _script("receiveDetails", shard, [_detail(image, settings, place) for image in images])


def link_of(name: str) -> str:
    """A name, valid UTF-8 or not, percent-encoded byte by byte for a link; "/" stays."""
    return quote(os.fsencode(name))


def original_link(path: str, place: str) -> str:
    """A relative link from the output root to an input file; "" when there can be none."""
    if is_url(path):
        return path if path.startswith(("http://", "https://")) else ""
    return "" if is_url(place) or not path else link_of(os.path.relpath(path, place))


def _detail(image: GalleryImage, settings: GallerySettings, place: str) -> dict[str, Any]:
    best = image.suggested
    return {
        "folder": link_of(image_folder(image.image_id)),
        "original": original_link(image.path, place),
        "width": image.width,
        "height": image.height,
        "colors": image.distinct_colors,
        "notes": image.notes,
        "sweep": image.has_sweep,
        "pictures": image.has_sweep and settings.pictures,
        "suggested": best.k if best else 0,
        "shortfall": image.shortfall,
        "failure": _failure_text(image),
        "flats": [_flat_columns(flat, settings) for flat in image.flats],
    }


def _flat_columns(flat: GalleryFlat, settings: GallerySettings) -> list[Any]:
    """One flat as the viewer reads it; the costly measures come last, in the order of the settings."""
    taken = json.loads(flat.metrics)
    costly = [taken.get(name) for name in settings.metrics]
    return [flat.k, flat.n_colors, flat.mse, flat.bytes, flat.palette, flat.weights, *costly]


def _failure_text(image: GalleryImage) -> str:
    return f"{image.failure.error}: {printable(image.failure.message)}" if image.failure else ""


def _strip(flat: GalleryFlat) -> str:
    """The heaviest colours in palette order, each "rrggbbss" with its share in 255ths."""
    weights = [int(weight) for weight in flat.weights.split()]
    total = sum(weights) or 1
    heaviest = sorted(sorted(range(len(weights)), key=lambda row: -weights[row])[:_STRIP_COLORS])
    return "".join(
        f"{flat.palette[6 * row : 6 * row + 6]}{max(1, round(255 * weights[row] / total)):02x}" for row in heaviest
    )


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _script(function: str, shard: int, content: object) -> bytes:
    text = json.dumps(content, separators=(",", ":"))
    return f"flatpipe.{function}({shard},{text});\n".encode("ascii")
