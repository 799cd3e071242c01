"""The ledger's results as the gallery reads them: one GalleryImage after the other, whatever their number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from flatpipe.ledger.results import Results, ValidFlat
from flatpipe.quantize.knee import best_k, missed
from flatpipe.quantize.options import CostlyMetric, Space
from flatpipe.records import Failure
from flatpipe.vocabulary import AnimationFormat, PaletteFormat


@dataclass(frozen=True, slots=True)
class GallerySettings:
    """What the gallery must know of a run beside its results."""

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
    is_shared: bool = False
    # ^ whether images share palettes
    legend: tuple[str, ...] = ()
    # ^ colours that any image may use, "#rrggbb": a chart's, or those that are fixed
    named: tuple[tuple[str, str, str], ...] = ()
    # ^ colours with their names and codes
    command: str = ""
    # ^ what runs the same again from any folder; "": it is not known

    @property
    def has_common_colors(self) -> bool:
        """Whether images have colours in common."""
        return self.is_shared or bool(self.legend)


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
    flats: tuple[ValidFlat, ...]
    suggested: ValidFlat | None = None
    # ^ the flat that the target names, by default that at the knee of the curve; None without flats
    shortfall: str = ""
    # ^ in words, that no flat reaches the target; "" when one does
    group: str | None = None
    # ^ of images with which it shares palettes


def gallery_images(results: Results, settings: GallerySettings) -> Iterator[GalleryImage]:
    """Every image of the current run, in the order of image ids, as a stream."""
    for image in results.images():
        token = image.token
        ks, mses = [flat.k for flat in image.asked], [flat.mse for flat in image.asked]
        best = best_k(ks, mses, settings.target)
        yield GalleryImage(
            image_id=image.source.image_id,
            path="" if image.source.part else image.source.path,
            width=token.width,
            height=token.height,
            distinct_colors=token.distinct_colors,
            notes=token.notes,
            has_sweep=image.files is not None,
            failure=image.failure,
            flats=image.flats,
            suggested=next((flat for flat in image.flats if flat.k == best), None),
            shortfall=missed(ks, mses, settings.target),
            group=image.group,
        )


def gallery_state(results: Results, settings: GallerySettings, version: str) -> str:
    """A digest (hex) of all that the gallery shows; the same state gives the same files."""
    shown = f"{version} {settings!r} {results.state()}"
    return hashlib.sha256(shown.encode("utf-8", "surrogateescape")).hexdigest()
