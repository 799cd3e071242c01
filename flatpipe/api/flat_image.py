"""The images that the Python API returns: arrays that can be saved, and looked at in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Self, cast, get_args

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.animation import encode_animation, frame_side
from flatpipe.encode.frames import Original, frame_flat, shrink_original
from flatpipe.encode.png import encode_png
from flatpipe.environment import missing_codecs
from flatpipe.errors import ConfigError
from flatpipe.layout import animation_suffix
from flatpipe.palettes.palette import Palette
from flatpipe.palettes.titles import called
from flatpipe.palettes.write import write_palette
from flatpipe.quantize.knee import best_k
from flatpipe.quantize.options import FlattenOptions
from flatpipe.quantize.palette_image import FlattenedImage, PaletteImage
from flatpipe.settings import AnimationOptions
from flatpipe.text import counted
from flatpipe.vocabulary import SHORTEST_MS, AnimationFormat, PaletteFormat

_ANIMATIONS: dict[str, AnimationFormat] = {
    f".{suffix}": kind for kind in get_args(AnimationFormat) for suffix in (animation_suffix(kind), kind)
}
# ^ an APNG may be called .png or .apng
_GRID_SIDE = 480
# ^ pixels of a picture in a notebook's grid: twice what a column shows


@dataclass(frozen=True, eq=False)
class FlatImage(FlattenedImage):
    """An image in few colours: `palette` (n_colors, 3) uint8 from dark to light, `label_map` (H, W) uint8, `mse`.

    Also `flat` (H, W, 3) uint8, the recoloured image; `alpha` (H, W) uint8 or None; `weights` and `shares` of the
    colours; `n_colors`; `psnr` in dB; `hex_colors`. A notebook shows the image and its palette. Colours that a Palette
    gave stand in its order, and are saved with its names.
    """

    alpha: NDArray[np.uint8] | None = None
    given: Palette | None = None
    # ^ the palette that it was put into, row by row; None: its colours are its own

    @classmethod
    def of(cls, flat: FlattenedImage, alpha: NDArray[np.uint8] | None, given: Palette | None = None) -> Self:
        """The image that a flattened one is, with its opacity."""
        return cls(flat.palette, flat.label_map, flat.weights, flat.mse, alpha, given, is_dithered=flat.is_dithered)

    def save(self, path: str | Path) -> None:
        """Save the image as a palette PNG (.png), or its palette (.ase, .gpl and others, by the name's suffix).

        Raises ConfigError for a suffix that is none of them, OSError when the file cannot be written.
        """
        place = Path(path)
        kind = place.suffix.lower().lstrip(".")
        if kind == "png":
            content = self._repr_png_()
        elif kind in get_args(PaletteFormat):
            palette = replace(self.given or Palette.of_hex(self.hex_colors), title=place.stem)
            content = write_palette(cast(PaletteFormat, kind), palette, self.shares.tolist())
        else:
            allowed = ", ".join(f".{word}" for word in ("png", *get_args(PaletteFormat)))
            raise ConfigError(f"{place}: the name must end in one of {allowed}")
        place.write_bytes(content)

    def __repr__(self) -> str:
        height, width = self.label_map.shape
        return f"<FlatImage {width} x {height}, {self._measures}>"

    @property
    def _measures(self) -> str:
        return f"{counted(self.n_colors, 'colour')}, PSNR {self.psnr:.1f} dB"

    def _repr_png_(self) -> bytes:
        return encode_png(self, self.alpha)

    def _repr_html_(self) -> str:
        return self.figure("40em", "")

    def figure(self, width: str, title: str, picture: bytes | None = None) -> str:
        """HTML of the image, its measures and its colours with their hex values, so wide; it needs no script.

        `picture` is a PNG to show instead of the image itself, such as a smaller one.
        """
        encoded = base64.b64encode(picture or self._repr_png_()).decode()
        named = (self.given or Palette.of_hex(self.hex_colors)).colors
        told = [
            f"{called(color)} {share:.1%}".lstrip() for color, share in zip(named, self.shares.tolist(), strict=True)
        ]
        swatches = "".join(map(swatch, self.hex_colors, told))
        return (
            f'<figure style="margin:0;max-width:{width}"><img style="max-width:100%" alt="{escape(repr(self))}" '
            f'src="data:image/png;base64,{encoded}"><figcaption>{escape(title)}{self._measures}</figcaption>'
            f'<div style="font:12px monospace">{swatches}</div></figure>'
        )


def swatch(color: str, told: str) -> str:
    """A colour beside its hex value, with what is told of it where a pointer rests."""
    square = (
        f"display:inline-block;width:1em;height:1em;vertical-align:-.15em;background:{color};border:1px solid #8888"
    )
    return (
        f'<span title="{escape(told)}" style="display:inline-block;margin-right:.7em">'
        f'<span style="{square}"></span> {color}</span>'
    )


class Sweep(Mapping[int, FlatImage]):
    """An image in several k: maps k, ascending, to FlatImage."""

    def __init__(self, flats: dict[int, FlatImage], original: Original, target: str, options: FlattenOptions) -> None:
        self._flats, self._original, self._target, self._options = flats, original, target, options

    def __getitem__(self, k: int) -> FlatImage:
        return self._flats[k]

    def __iter__(self) -> Iterator[int]:
        return iter(self._flats)

    def __len__(self) -> int:
        return len(self._flats)

    def __repr__(self) -> str:
        height, width = self._original.pixels.shape[:2]
        return f"<Sweep {width} x {height}, k = {', '.join(map(str, self))}>"

    @property
    def suggested_k(self) -> int:
        """The k at the knee of the distortion curve, as in results.csv, or the one that `auto:psnr>=30` asks for."""
        return best_k(list(self), [flat.mse for flat in self.values()], self._target) or next(iter(self))

    def save(
        self,
        path: str | Path,
        *,
        frame_ms: int = 400,
        hold_ms: int = 1500,
        max_side: int | None = 1024,
        captions: bool = False,
        fade: int = 0,
    ) -> None:
        """Save the animation: the flats from low k to high, then the original.

        The name's suffix says how: .gif, .webp, .png for an APNG, and with the extra `video` .mp4 and .webm. Durations
        are in milliseconds; frames whose longest side exceeds max_side pixels are shrunk, None keeps them. `captions`
        writes into each frame what it shows; `fade` frames lead from each k to what comes next, within frame_ms.
        Raises ConfigError for another suffix, for what is not installed and for more frames than frame_ms has time for,
        OSError when the file cannot be written.
        """
        place = Path(path)
        if place.suffix.lower() not in _ANIMATIONS:
            raise ConfigError(f"{place}: the name must end in one of {', '.join(_ANIMATIONS)}")
        kind = _ANIMATIONS[place.suffix.lower()]
        if missing := missing_codecs(kind):
            raise ConfigError(missing)
        most = max(0, frame_ms // SHORTEST_MS - 1)
        if not 0 <= fade <= most:
            raise ConfigError(f"fade must be from 0 to {most} for a frame_ms of {frame_ms}, not {fade}")
        options = AnimationOptions(
            format=kind, frame_ms=frame_ms, hold_ms=hold_ms, max_side=max_side, captions=captions, fade=fade
        )
        small = self._shrunk(frame_side(options))
        place.write_bytes(encode_animation(small.flats, small.original, options))

    def _repr_html_(self) -> str:
        """A grid of all k, each with its colours; the suggested one is marked."""
        best, small = self.suggested_k, self._shrunk(_GRID_SIDE)
        figures = "".join(
            flat.figure(
                "100%", f"k = {k}{' (suggested)' * (k == best)}: ", encode_png(small.flats[k], small.original.alpha)
            )
            for k, flat in self.items()
        )
        columns = "grid-template-columns:repeat(auto-fill,minmax(240px,1fr))"
        return f'<div style="display:grid;gap:1em;{columns}">{figures}</div>'

    def _shrunk(self, max_side: int) -> _Shrunk:
        """The flats and the original with no side over `max_side`."""
        small = shrink_original(self._original, max_side)
        if self._options.dither != "none" and not small.counted:
            small = replace(small, counted=small.indexed)
            # ^ once for all k
        flats = {k: frame_flat(flat, small, max_side, self._options) for k, flat in self.items()}
        return _Shrunk(flats, small)


@dataclass(frozen=True, slots=True)
class _Shrunk:
    """The pictures of a sweep at one smaller size."""

    flats: dict[int, PaletteImage]
    original: Original
