"""The gallery's data as scripts: a compact index that the page reads whole, details that it reads when asked.

Scripts, because a page opened from a disk may load those and may not fetch JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flatpipe.layout import image_folder, picture_key
from flatpipe.ledger.results import ValidFlat
from flatpipe.places import is_url
from flatpipe.report.gallery_rows import GalleryImage, GallerySettings
from flatpipe.text import printable

ROWS_PER_SHARD = 5000
# ^ images in one script of the index: half a megabyte, so that the first is there at once
DETAILS_PER_SHARD = 50
# ^ images in one script of details: about 100 kB, read when one of them is opened
_STRIP_COLORS = 24
# ^ most colours in the strip under a card


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the overview shows of one image: small, because thousands of them wait for their script."""

    name: str
    link: str
    # ^ "" when the name says it
    key: str
    k: int
    mse: float
    colors: int
    palette: str
    has_pictures: bool
    error: str


def index_row(image: GalleryImage, settings: GallerySettings) -> IndexRow:
    """One image's row of the overview."""
    shown = image.suggested
    name = printable(image.image_id)
    return IndexRow(
        name=name,
        link=link_of(image.image_id) if name != image.image_id else "",
        key=picture_key(image.image_id),
        k=shown.k if shown else 0,
        mse=_rounded(shown.mse) if shown else -1,
        colors=image.distinct_colors,
        palette=_strip(shown) if shown else "",
        has_pictures=image.has_sweep and settings.pictures,
        error=_failure_text(image),
    )


def index_script(shard: int, rows: Sequence[IndexRow]) -> bytes:
    """Columns of the overview, the rows from `shard` * ROWS_PER_SHARD on."""
    columns = {
        "names": [row.name for row in rows],
        "links": {number: row.link for number, row in enumerate(rows) if row.link},
        "keys": "".join(row.key for row in rows),
        "ks": [row.k for row in rows],
        "mses": [row.mse for row in rows],
        "colors": [row.colors for row in rows],
        "palettes": [row.palette for row in rows],
        "pictures": "".join("01"[row.has_pictures] for row in rows),
        "errors": {number: row.error for number, row in enumerate(rows) if row.error},
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


def _flat_columns(flat: ValidFlat, settings: GallerySettings) -> list[Any]:
    """One flat as the viewer reads it; the costly measures come last, in the order of the settings."""
    taken = json.loads(flat.metrics)
    costly = [taken.get(name) for name in settings.metrics]
    return [flat.k, flat.n_colors, flat.mse, flat.bytes, _bare(flat.palette), flat.weights, *costly]


def _failure_text(image: GalleryImage) -> str:
    return f"{image.failure.error}: {printable(image.failure.message)}" if image.failure else ""


def _strip(flat: ValidFlat) -> str:
    """The heaviest colours in palette order, each "rrggbbss" with its share in 255ths."""
    weights = [int(weight) for weight in flat.weights.split()]
    total = sum(weights) or 1
    heaviest = sorted(sorted(range(len(weights)), key=lambda row: -weights[row])[:_STRIP_COLORS])
    palette = _bare(flat.palette)
    return "".join(
        f"{palette[6 * row : 6 * row + 6]}{max(1, round(255 * weights[row] / total)):02x}" for row in heaviest
    )


def _bare(palette: str) -> str:
    """Colours "rrggbb..." without marks between them: half a script is colours."""
    return palette.replace("#", "").replace(" ", "")


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _script(function: str, shard: int, content: object) -> bytes:
    text = json.dumps(content, separators=(",", ":"))
    return f"flatpipe.{function}({shard},{text});\n".encode("ascii")
