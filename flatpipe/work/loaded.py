"""A decoded image as the tasks of one process share it."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from flatpipe.decode.apart.decoding import Decoding
from flatpipe.decode.decode import DecodedImage
from flatpipe.encode.animation import ShownFrame, encode_last, frame_side
from flatpipe.encode.frames import Original, shrink_original
from flatpipe.pictures.image_pictures import OriginalPictures, original_pictures
from flatpipe.quantize.color_table import IndexedImage, index_colors
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import Failure, ImageSource, LoadToken
from flatpipe.settings import TaskSettings
from flatpipe.storage.reading import check_unchanged, read_input
from flatpipe.work.memory import check_colors
from flatpipe.work.once import Once
from flatpipe.work.retry import with_retries

_PICTURE_SIDE = 1024
# ^ pixels


@dataclass(frozen=True, slots=True)
class KeptFlat:
    """What the sweep needs of a flat, as the task that made it leaves it in the cache of its process."""

    frame: ShownFrame | None
    # ^ of the animation; None when there is none
    flat: PaletteImage | bytes | None
    # ^ for the report's pictures: itself where it is small, else its file, or one at the sweep's size; None when they
    #   need it not, or it is large and had better be read back

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        flat = self.flat.label_map.nbytes if isinstance(self.flat, PaletteImage) else len(self.flat or b"")
        return (self.frame.nbytes if self.frame else 0) + flat


@dataclass(slots=True)
class LoadedImage:
    """Pixels as rows of their colour table, and what the sweep needs: of the original, and of the flats made here."""

    token: LoadToken
    indexed: IndexedImage
    alpha: NDArray[np.uint8] | None
    # ^ (H, W) opacity
    original: Original
    # ^ at the sweep's size
    last_frame: Once[ShownFrame]
    # ^ of the animation: the original
    pictures: Once[OriginalPictures]
    # ^ of the original, for the report
    flats: dict[int, KeptFlat] = field(default_factory=dict)
    # ^ by k, those of this process

    @property
    def nbytes(self) -> int:
        """Bytes held, all that the sweep will collect included."""
        alpha = 0 if self.alpha is None else self.alpha.nbytes
        flats = sum(flat.nbytes for flat in list(self.flats.values()))
        last, pictures = self.last_frame.peek(), self.pictures.peek()
        original = self.original.nbytes + (last.nbytes if last else 0) + (pictures.nbytes if pictures else 0)
        return self.indexed.nbytes + alpha + original + flats


@dataclass(frozen=True, slots=True)
class ImageKey:
    """All that a decoded image and what is kept with it depend on."""

    source: ImageSource
    settings: TaskSettings
    _hash: int = field(init=False, repr=False, compare=False)
    # ^ kept, since taking it of all that settings hold takes 6 us, and a thumbnail is asked for forty times

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.source, self.settings)))

    def __hash__(self) -> int:
        """Return the hash."""
        return self._hash


@dataclass(frozen=True, slots=True)
class OriginalResult:
    """That what a sweep needs of the original alone is made; it stays in the worker's cache."""

    image_id: str
    seconds: float = 0.0
    failure: Failure | None = None


def original_side(settings: TaskSettings) -> int:
    """The longest side in pixels at which the sweep and the report's pictures need the image; 0 when nothing does."""
    if settings.animation.enabled:
        return frame_side(settings.animation)
    return _PICTURE_SIDE if settings.pictures else 0


def load_image(source: ImageSource, settings: TaskSettings, decoding: Decoding) -> LoadedImage:
    """Read, decode and index one image; raises OSError and ImageError."""
    began = time.perf_counter()
    content = with_retries(lambda: read_input(source, settings.reading), settings.io_retries)
    check_unchanged(source)
    digest = hashlib.sha256(content).hexdigest()
    decoded = decoding.decode(content, settings.decode, source.frame)
    del content
    original = _original(decoded, original_side(settings))
    decoded = replace(decoded, image=None)
    # ^ four bytes a pixel that are not needed any more
    indexed = index_colors(decoded.pixels, decoded.alpha)
    check_colors(indexed.index.size, len(indexed.table.colors), settings)
    if original.pixels is decoded.pixels:
        original = replace(original, counted=indexed)
    elif settings.animation.enabled and settings.flatten.dither != "none":
        original = replace(original, counted=index_colors(original.pixels, original.alpha))
        # ^ each k is dithered anew at this size
    height, width = decoded.pixels.shape[:2]
    token = LoadToken(
        image_id=source.image_id,
        content=digest,
        width=width,
        height=height,
        distinct_colors=len(indexed.table.colors),
        notes=decoded.notes,
        seconds=time.perf_counter() - began,
    )
    return LoadedImage(
        token,
        indexed,
        decoded.alpha,
        original,
        last_frame=Once(partial(encode_last, original, settings.animation)),
        pictures=Once(
            partial(original_pictures, original.pixels, original.alpha, indexed.table.colors, indexed.table.counts)
        ),
    )


def _original(decoded: DecodedImage, side: int) -> Original:
    """The original with no side over `side` pixels; with 0 one pixel of it, which nobody looks at."""
    original = Original(decoded.pixels, decoded.alpha)
    if side:
        return shrink_original(original, side, decoded.image)
    return Original(decoded.pixels[:1, :1].copy(), None if decoded.alpha is None else decoded.alpha[:1, :1].copy())
