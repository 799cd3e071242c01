"""The files of an image that need all its k, as bytes: frames, palettes.json, palette files, the report's pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from flatpipe import layout
from flatpipe.encode.animation import ShownFrame, encode_flat, flat_picture
from flatpipe.encode.frames import frame_flat
from flatpipe.encode.palettes import PaletteEntry, palettes_json
from flatpipe.palettes.palette import Palette, PaletteColor
from flatpipe.palettes.write import write_palette
from flatpipe.pictures.image_pictures import PictureSources, image_pictures
from flatpipe.quantize.knee import best_k
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import FlattenResult
from flatpipe.settings import TaskSettings
from flatpipe.work.loaded import LoadedImage, original_side


def encode_palettes(image_id: str, flats: Sequence[FlattenResult], named: Palette | None) -> bytes:
    """palettes.json of an image's flats, with the names and codes of colours that are `named`."""
    entries = [PaletteEntry(flat.k, flat.palette, flat.shares, flat.weights, flat.mse, named) for flat in flats]
    return palettes_json(image_id, entries)


def named_palette(settings: TaskSettings) -> Palette | None:
    """The colours that have a name or a code; None where none has."""
    if not settings.named:
        return None
    return Palette(tuple(PaletteColor.of_hex(*color) for color in settings.named))


def small_flat(image: LoadedImage, flat: PaletteImage, settings: TaskSettings) -> PaletteImage:
    """A flat of full size, or of the sweep's, at the sweep's size."""
    return frame_flat(flat, image.original, original_side(settings), settings.flatten)


def frame_picture(image: LoadedImage, k: int, flat: PaletteImage, settings: TaskSettings) -> PaletteImage:
    """What the animation shows of a flat of full size."""
    return flat_picture(
        k, small_flat(image, flat, settings), image.original.alpha, settings.animation, settings.widest_k
    )


def encode_frame(image: LoadedImage, k: int, flat: PaletteImage, settings: TaskSettings) -> ShownFrame:
    """The frame of the animation that a flat of full size becomes."""
    return encode_flat(frame_picture(image, k, flat, settings), image.original.alpha, settings.animation)


def encode_pictures(
    image: LoadedImage, flat_of: Callable[[int], PaletteImage], flats: Sequence[FlattenResult], settings: TaskSettings
) -> Iterator[tuple[str, bytes]]:
    """Names below the output root and bytes of the pictures that the report shows; flats ascend in k.

    `flat_of` gives the flat for a k, at full size or that of the sweep.
    """
    sources = PictureSources(
        image_id=image.token.image_id,
        original=image.pictures.get(),
        alpha=image.original.alpha,
        flat_of=lambda k: small_flat(image, flat_of(k), settings),
        shares={flat.k: flat.shares for flat in flats},
        target=settings.target,
        is_dithered=settings.flatten.dither != "none",
    )
    return image_pictures(sources, [flat.k for flat in flats], [flat.mse for flat in flats], stills=settings.stills)


def best_flat(flats: Sequence[FlattenResult], target: str) -> FlattenResult:
    """The flat that `target` names, as results.csv and the report will; flats ascend in k, not empty."""
    k = best_k([flat.k for flat in flats], [flat.mse for flat in flats], target)
    return next(flat for flat in flats if flat.k == k)


def encode_palette_files(
    image_id: str, flats: Sequence[FlattenResult], settings: TaskSettings, named: Palette | None
) -> Iterator[tuple[str, bytes]]:
    """File names and bytes of each flat's palette in each of the formats: `k07.gpl`."""
    kinds, width = settings.palettes, settings.name_width
    for flat in flats if kinds else ():
        title = f"{image_id.rpartition('/')[2]}, {flat.k} colours"
        palette = Palette.of_hex(flat.palette, title, named)
        for kind in kinds:
            name = layout.palette_name(flat.k, kind, width)
            yield name, write_palette(kind, palette, flat.shares)
