"""A decoded image as the tasks of one process share it."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flatpipe.decode.decode import decode
from flatpipe.encode.animation import frame_side
from flatpipe.encode.frames import Original, shrink_original
from flatpipe.quantize.color_table import IndexedImage, index_colors
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import ImageSource, LoadToken, TaskSettings
from flatpipe.storage.reading import read_input
from flatpipe.work.retry import with_retries

_PICTURE_SIDE = 1024
# ^ pixels


@dataclass(slots=True)
class LoadedImage:
    """Pixels as rows of their colour table, and what the sweep needs of the original."""

    token: LoadToken
    indexed: IndexedImage
    alpha: NDArray[np.uint8] | None
    # ^ (H, W) opacity
    original: Original
    # ^ at the sweep's size
    frames: dict[int, PaletteImage] = field(default_factory=dict)
    # ^ flats of this process by k, at the sweep's size, so that the sweep need not read them back

    @property
    def nbytes(self) -> int:
        """Bytes held, the frames that the sweep will collect included."""
        frames = sum(frame.label_map.nbytes for frame in list(self.frames.values()))
        return self.indexed.nbytes + (0 if self.alpha is None else self.alpha.nbytes) + self.original.nbytes + frames


def original_side(settings: TaskSettings) -> int:
    """The longest side in pixels at which the sweep and the report's pictures need the image; 1 when nothing does."""
    if settings.animation.enabled:
        return frame_side(settings.animation)
    return _PICTURE_SIDE if settings.pictures else 1


def load_image(source: ImageSource, settings: TaskSettings) -> LoadedImage:
    """Read, decode and index one image; raises OSError and ImageError."""
    began = time.perf_counter()
    content = with_retries(lambda: read_input(source, settings.reading), settings.io_retries)
    digest = hashlib.sha256(content).hexdigest()
    decoded = decode(content, settings.decode, source.frame)
    del content
    indexed = index_colors(decoded.pixels, decoded.alpha)
    original = shrink_original(Original(decoded.pixels, decoded.alpha, indexed), original_side(settings))
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
    return LoadedImage(token, indexed, decoded.alpha, original)
