"""The ledger as the gallery reads it: one GalleryImage after the other, whatever their number."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flatpipe.ledger.ledger import Ledger
from flatpipe.quantize.knee import best_k, missed
from flatpipe.quantize.options import CostlyMetric, Space
from flatpipe.records import Failure
from flatpipe.vocabulary import AnimationFormat, PaletteFormat

_IMAGES = """
SELECT p.image_id, p.path, i.content, i.width, i.height, i.distinct_colors, i.notes,
       s.settings = ? AND s.content = i.content, x.stage, x.error, x.message
FROM planned p LEFT JOIN images i USING (image_id) LEFT JOIN sweeps s USING (image_id)
LEFT JOIN failures x USING (image_id)
ORDER BY p.image_id
"""
_FLATS = """
SELECT p.image_id, f.k, f.n_colors, f.mse, f.bytes, f.palette, f.weights, f.metrics
FROM planned p JOIN flats f USING (image_id) JOIN images i USING (image_id)
WHERE f.content = i.content AND f.settings IN (SELECT value FROM json_each(?))
ORDER BY p.image_id, f.k
"""
_DIGESTS = """
SELECT p.image_id, group_concat(f.k || f.sha256 || f.metrics)
FROM planned p JOIN flats f USING (image_id) JOIN images i USING (image_id)
WHERE f.content = i.content AND f.settings IN (SELECT value FROM json_each(?))
GROUP BY p.image_id ORDER BY p.image_id
"""
# ^ gathered by SQLite: a tenth of the time that a row for each flat takes


@dataclass(frozen=True, slots=True)
class GallerySettings:
    """What the gallery must know of a run beside the ledger."""

    flat_digests: tuple[str, ...]
    # ^ settings digests of the flats that are still valid
    sweep_digest: str
    # ^ settings digest of the sweeps that are still valid; their animation and pictures are there
    name_width: int = 2
    # ^ digits of k in file names
    animation_format: AnimationFormat | None = "gif"
    pictures: bool = True
    # ^ whether sweep tasks made thumbnails, previews and points
    stills: bool = True
    # ^ whether they made colorspace.png and contact_sheet.png as well
    palette_formats: tuple[PaletteFormat, ...] = ()
    # ^ suffixes of the palette files beside the flats: "gpl" for k07.gpl
    title: str = ""
    # ^ what the images are, in the user's words: the input folder's name
    target: str = ""
    # ^ by what the suggested k is chosen, which is best.png too: "knee", "psnr>=30"; "": the knee, without best.png
    space: Space = "rgb"
    # ^ in which colours were clustered
    metrics: tuple[CostlyMetric, ...] = ()
    # ^ costly measures to show
    retry_command: str = "flatpipe run --only-failed"


@dataclass(frozen=True, slots=True)
class GalleryFlat:
    """One flat image; palette "rrggbb..." without separators, weights as words."""

    k: int
    n_colors: int
    mse: float
    bytes: int
    palette: str
    weights: str
    metrics: str = "{}"
    # ^ JSON: the costly ones, where they were measured


@dataclass(frozen=True, slots=True)
class GalleryImage:
    """One image of the run, with whatever there is of it."""

    image_id: str
    path: str
    width: int
    height: int
    distinct_colors: int
    notes: tuple[str, ...]
    has_sweep: bool
    failure: Failure | None
    flats: tuple[GalleryFlat, ...]
    target: str = ""

    @property
    def suggested(self) -> GalleryFlat | None:
        """The flat that the target names, by default that at the knee of the curve; None without flats."""
        best = best_k(*self._curve, self.target)
        return next((flat for flat in self.flats if flat.k == best), None)

    @property
    def shortfall(self) -> str:
        """In words, that no flat reaches the target; "" when one does."""
        return missed(*self._curve, self.target)

    @property
    def _curve(self) -> tuple[list[int], list[float]]:
        return [flat.k for flat in self.flats], [flat.mse for flat in self.flats]


def gallery_images(ledger: Ledger, settings: GallerySettings) -> Iterator[GalleryImage]:
    """Every image of the current run, in the order of image ids: two queries that stream side by side."""
    flats = itertools.groupby(_flat_rows(ledger, settings), key=lambda row: row[0])
    waiting = next(flats, None)
    for row in ledger.rows(_IMAGES, (settings.sweep_digest,)):
        own: Iterable[tuple[Any, ...]] = ()
        if waiting is not None and waiting[0] == row[0]:
            own = list(waiting[1])
            waiting = next(flats, None)
        yield _gallery_image(row, own, settings.target)


def gallery_state(ledger: Ledger, settings: GallerySettings, version: str) -> str:
    """A digest (hex) of all that the gallery shows; the same state gives the same files."""
    state = hashlib.sha256(f"{version} {settings!r}".encode("utf-8", "surrogateescape"))
    digests = ledger.rows(_DIGESTS, (json.dumps(sorted(settings.flat_digests)),))
    for row in itertools.chain(ledger.rows(_IMAGES, (settings.sweep_digest,)), digests):
        state.update(repr(row).encode())
    return state.hexdigest()


def _flat_rows(ledger: Ledger, settings: GallerySettings) -> Iterator[tuple[Any, ...]]:
    return ledger.rows(_FLATS, (json.dumps(sorted(settings.flat_digests)),))


def _gallery_image(row: tuple[Any, ...], flats: Iterable[tuple[Any, ...]], target: str) -> GalleryImage:
    image_id, path, content, width, height, distinct, notes, has_sweep, stage, error, message = row
    return GalleryImage(
        image_id=image_id,
        path=path,
        width=width or 0,
        height=height or 0,
        distinct_colors=distinct or 0,
        notes=tuple(json.loads(notes)) if notes else (),
        has_sweep=bool(content and has_sweep),
        failure=None if error is None else Failure(stage, error, message),
        flats=tuple(_gallery_flat(flat) for flat in flats),
        target=target,
    )


def _gallery_flat(row: tuple[Any, ...]) -> GalleryFlat:
    _, k, n_colors, mse, size, palette, weights, metrics = row
    return GalleryFlat(k, n_colors, mse, size, palette.replace("#", "").replace(" ", ""), weights, metrics)
