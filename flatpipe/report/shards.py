"""The gallery's data as scripts: a compact index that the page reads whole, details that it reads when asked.

Scripts, because a page opened from a disk may load those and may not fetch JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
_json = json.JSONEncoder(separators=(",", ":")).encode


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
    group: str | None = None
    # ^ of images with which it shares palettes


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
        group=image.group,
    )


def index_script(shard: int, rows: Sequence[IndexRow], **more: object) -> bytes:
    """Columns of the overview, the rows from `shard` * ROWS_PER_SHARD on; `more` are further columns."""
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
        **more,
    }
    return script("receiveRows", shard, _json(columns))


def detail_script(shard: int, images: Sequence[GalleryImage], settings: GallerySettings, place: str) -> bytes:
    """All that the viewer shows of `images`, rows from `shard` * DETAILS_PER_SHARD on; `place` is the output root."""
    details = ",".join(_detail(image, settings, place) for image in images)
    return script("receiveDetails", shard, f"[{details}]")


def link_of(name: str) -> str:
    """A name, valid UTF-8 or not, percent-encoded byte by byte for a link; "/" stays."""
    return quote(os.fsencode(name))


def original_link(path: str, place: str) -> str:
    """A relative link from the output root to an input file; "" when there can be none."""
    if is_url(path):
        return path if path.startswith(("http://", "https://")) else ""
    if is_url(place) or not path:
        return ""
    folder, _, name = path.rpartition("/")
    return _way_to(folder, place) + link_of(name)


@lru_cache(maxsize=256)
def _way_to(folder: str, place: str) -> str:
    """A relative link from the output root to a local folder, "/" at its end. Remembered: its images come together."""
    relative = os.path.relpath(folder or "/", place)
    return "" if relative == os.curdir else f"{link_of(relative)}/"


def _detail(image: GalleryImage, settings: GallerySettings, place: str) -> str:
    best = image.suggested
    shown = {
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
    }
    flats = ",".join(_flat_columns(flat, settings) for flat in image.flats)
    return f'{_json(shown)[:-1]},"flats":[{flats}]}}'


def _flat_columns(flat: ValidFlat, settings: GallerySettings) -> str:
    """One flat as the viewer reads it, JSON; the costly measures come last, in the order of the settings.

    Most of a gallery's text is this: what is already text, and safe in JSON, is not taken apart and joined again.
    """
    costly = _costly(flat, settings) if settings.metrics else ""
    return f'[{flat.k},{flat.n_colors},{flat.mse!r},{flat.bytes},"{flat.palette}","{flat.weights}"{costly}]'


def _costly(flat: ValidFlat, settings: GallerySettings) -> str:
    taken = json.loads(flat.metrics)
    return "".join(f",{_json(taken.get(name))}" for name in settings.metrics)


def _failure_text(image: GalleryImage) -> str:
    return f"{image.failure.error}: {printable(image.failure.message)}" if image.failure else ""


def _strip(flat: ValidFlat) -> str:
    """The heaviest colours in palette order, each "rrggbbss" with its share in 255ths."""
    weights = [int(weight) for weight in flat.weights.split()]
    total = sum(weights) or 1
    heaviest = sorted(sorted(range(len(weights)), key=lambda row: -weights[row])[:_STRIP_COLORS])
    return "".join(
        f"{flat.palette[6 * row : 6 * row + 6]}{max(1, round(255 * weights[row] / total)):02x}" for row in heaviest
    )


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def script(function: str, shard: int, content: str) -> bytes:
    """A script that hands JSON to a function of the page."""
    return f"flatpipe.{function}({shard},{content});\n".encode("ascii")
