"""All pictures of one image for the report, as a sweep task makes them: names and bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.layout import COLORSPACE, CONTACT_SHEET, picture_key, picture_name, still_name
from flatpipe.pictures.colorspace import ColorPoints, color_points, colorspace_png, packed_points
from flatpipe.pictures.contact_sheet import Panel, contact_sheet_png
from flatpipe.pictures.thumbnail import preview, small_picture, thumbnail
from flatpipe.quantize.knee import best_k, psnr
from flatpipe.quantize.palette_image import PaletteImage


@dataclass(frozen=True, slots=True)
class PictureSources:
    """What the pictures of an image are made of. The flats need only be those of `picture_ks`."""

    image_id: str
    original: NDArray[np.uint8]
    # ^ (h, w, 3) pixels; at the sweep's size is enough
    alpha: NDArray[np.uint8] | None
    # ^ (h, w) opacity of the same size
    colors: NDArray[np.uint8]
    # ^ (n, 3) the image's colour table, and how often each colour occurs, (n,)
    counts: NDArray[np.int64]
    flats: Mapping[int, PaletteImage]
    # ^ by k, of the original's size
    shares: Mapping[int, Sequence[float]]
    # ^ by k: part of the counted pixels that each palette colour covers
    target: str = ""
    # ^ by what the suggested k is chosen: see quantize.knee.best_k


def picture_ks(ks: Sequence[int], mses: Sequence[float], target: str = "") -> tuple[int, ...]:
    """The k that the pictures show, ascending: the smallest, the suggested, the largest. ks ascend, not empty."""
    return tuple(sorted({ks[0], best_k(ks, mses, target) or ks[0], ks[-1]}))


def image_pictures(
    sources: PictureSources, ks: Sequence[int], mses: Sequence[float], *, stills: bool = True
) -> Iterator[tuple[str, bytes]]:
    """Names, relative to the output root, and bytes of the pictures of one image; ks ascend, mses belong to them.

    Thumbnails of original and suggested flat, the original's preview, the points of the colour space; with `stills`
    also colorspace.png and contact_sheet.png. Every picture is shrunk once, whatever it is then used for.
    """
    image_id, suggested = sources.image_id, best_k(ks, mses, sources.target) or ks[0]
    original, flat = small_picture(sources.original, sources.alpha), _small_flat(sources, suggested)
    suffix, preview_bytes = preview(sources.original, sources.alpha)
    points = color_points(sources.colors, sources.counts)
    yield picture_name(image_id, "original.jpg"), thumbnail(original)
    yield picture_name(image_id, "flat.jpg"), thumbnail(flat)
    yield picture_name(image_id, f"preview.{suffix}"), preview_bytes
    yield picture_name(image_id, "points.js"), _points_script(image_id, suffix, points)
    if stills:
        panels = [Panel("original", original)]
        for k in picture_ks(ks, mses, sources.target):
            pixels = flat if k == suggested else _small_flat(sources, k)
            caption = f"k = {k}   {psnr(mses[ks.index(k)]):.1f} dB" + "   suggested" * (k == suggested)
            panels.append(Panel(caption, pixels, sources.flats[k].palette, sources.shares[k]))
        yield still_name(image_id, CONTACT_SHEET), contact_sheet_png(panels)
        yield still_name(image_id, COLORSPACE), colorspace_png(points, sources.flats[suggested].palette)


def _points_script(image_id: str, suffix: str, points: ColorPoints) -> bytes:
    content = {"preview": f"preview.{suffix}", "points": packed_points(points)}
    return f"flatpipe.receivePoints({json.dumps(picture_key(image_id))}, {json.dumps(content)});\n".encode("ascii")


def _small_flat(sources: PictureSources, k: int) -> NDArray[np.uint8]:
    flat = sources.flats[k]
    image = Image.fromarray(flat.label_map)
    image.putpalette(flat.palette.tobytes())
    return small_picture(image.convert("RGB"), sources.alpha)
    # ^ Pillow expands palettes several times faster than numpy
