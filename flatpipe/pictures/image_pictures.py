"""All pictures of one image for the report, as a sweep task makes them: names and bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe.layout import COLORSPACE, CONTACT_SHEET, picture_key, picture_name, still_name
from flatpipe.pictures.colorspace import ColorPoints, color_points, colorspace_png, packed_points
from flatpipe.pictures.contact_sheet import Panel, contact_sheet_png
from flatpipe.pictures.thumbnail import preview, small_mixture, small_picture, thumbnail
from flatpipe.quantize.knee import best_k, psnr
from flatpipe.quantize.palette_image import PaletteImage


@dataclass(frozen=True, slots=True)
class OriginalPictures:
    """What the report shows of the original alone."""

    small: NDArray[np.uint8]
    # ^ (h, w, 3) pixels at the size of a thumbnail
    thumbnail: bytes
    preview_suffix: str
    preview: bytes
    points: ColorPoints

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.small.nbytes + len(self.thumbnail) + len(self.preview) + self.points.nbytes


def original_pictures(
    original: NDArray[np.uint8],
    alpha: NDArray[np.uint8] | None,
    colors: NDArray[np.uint8],
    counts: NDArray[np.int64],
) -> OriginalPictures:
    """The pictures of an original (h, w, 3) with opacity (h, w), at the sweep's size, and of its colour table.

    colors (n, 3) are the image's, counts (n,) how often each occurs.
    """
    small = small_picture(original, alpha)
    return OriginalPictures(small, thumbnail(small), *preview(original, alpha), color_points(colors, counts))


@dataclass(frozen=True, slots=True)
class PictureSources:
    """What the pictures of an image are made of."""

    image_id: str
    original: OriginalPictures
    alpha: NDArray[np.uint8] | None
    # ^ (h, w) opacity at the sweep's size
    flat_of: Callable[[int], PaletteImage]
    # ^ the flat for a k, of the same size; asked once for each of `picture_ks`, without stills for the suggested alone
    shares: Mapping[int, Sequence[float]]
    # ^ by k: part of the counted pixels that each palette colour covers
    target: str = ""
    # ^ by what the suggested k is chosen: see quantize.knee.best_k
    is_dithered: bool = False
    # ^ so that colours mix, and those of a small flat are no longer told by the original's


def picture_ks(ks: Sequence[int], mses: Sequence[float], target: str = "") -> tuple[int, ...]:
    """The k that the pictures show, ascending: the smallest, the suggested, the largest. ks ascend, not empty."""
    return tuple(sorted({ks[0], best_k(ks, mses, target) or ks[0], ks[-1]}))


def image_pictures(
    sources: PictureSources, ks: Sequence[int], mses: Sequence[float], *, stills: bool = True
) -> Iterator[tuple[str, bytes]]:
    """Names, relative to the output root, and bytes of the pictures of one image; ks ascend, mses belong to them.

    The suggested flat's thumbnail, the original's preview, a script with the original's thumbnail and the points of its
    colour space; with `stills` also colorspace.png and contact_sheet.png. Every picture is shrunk once, whatever it is
    then used for.
    """
    image_id, original = sources.image_id, sources.original
    suggested = best_k(ks, mses, sources.target) or ks[0]
    flats = {k: sources.flat_of(k) for k in (picture_ks(ks, mses, sources.target) if stills else (suggested,))}
    small = {k: _small_flat(flat, sources) for k, flat in flats.items()}
    yield picture_name(image_id, "flat.jpg"), thumbnail(small[suggested])
    yield picture_name(image_id, f"preview.{original.preview_suffix}"), original.preview
    yield picture_name(image_id, "original.js"), _original_script(sources)
    if stills:
        panels = [Panel("original", original.small)]
        for k, flat in flats.items():
            caption = f"k = {k}   {psnr(mses[ks.index(k)]):.1f} dB" + "   suggested" * (k == suggested)
            panels.append(Panel(caption, small[k], flat.palette, sources.shares[k]))
        yield still_name(image_id, CONTACT_SHEET), contact_sheet_png(panels)
        yield still_name(image_id, COLORSPACE), colorspace_png(original.points, flats[suggested].palette)


def _original_script(sources: PictureSources) -> bytes:
    """The original as the page computes with it: a script, because a page from a disk may not read a picture's pixels.

    From the thumbnail in it the page draws small flats of every k. Where opacity is kept, or flats are dithered, it is
    told that it is not opaque, and shows the flats themselves.
    """
    original = sources.original
    content = {
        "preview": f"preview.{original.preview_suffix}",
        "points": packed_points(original.points),
        "small": base64.b64encode(original.thumbnail).decode("ascii"),
        "opaque": sources.alpha is None and not sources.is_dithered,
    }
    return _call(sources.image_id, json.dumps(content).encode("ascii") + b");\n")


def script_for_another(script: bytes, image_id: str) -> bytes:
    """The script of an original, of an image of the same bytes and another id."""
    return _call(image_id, script.partition(b", ")[2])


def _call(image_id: str, arguments: bytes) -> bytes:
    """A script that hands an image's key to the page, and what stands behind it."""
    return f"flatpipe.receiveOriginal({json.dumps(picture_key(image_id))}, ".encode("ascii") + arguments


def _small_flat(flat: PaletteImage, sources: PictureSources) -> NDArray[np.uint8]:
    if sources.is_dithered:
        return small_mixture(flat, sources.alpha)
    image = Image.fromarray(flat.label_map)
    image.putpalette(flat.palette.tobytes())
    return small_picture(image.convert("RGB"), sources.alpha)
    # ^ Pillow expands palettes several times faster than numpy
