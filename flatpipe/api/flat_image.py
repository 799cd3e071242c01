"""The images that the Python API returns: arrays that can be saved, and looked at in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.animation import encode_animation, frame_side
from flatpipe.encode.frames import Original, shrink_flat, shrink_original
from flatpipe.encode.png import encode_png
from flatpipe.environment import missing_codecs
from flatpipe.errors import ConfigError
from flatpipe.layout import animation_suffix
from flatpipe.palettes.palette import Palette
from flatpipe.palettes.titles import called
from flatpipe.palettes.write import write_palette
from flatpipe.quantize.knee import best_k
from flatpipe.quantize.palette_image import FlattenedImage
from flatpipe.records import AnimationOptions
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

    def figure(self, width: str, title: str, max_side: int | None = None) -> str:
        """HTML of the image, its measures and its colours with their hex values, so wide; it needs no script.

        The picture is shrunk to `max_side` pixels, so that a notebook with many stays small.
        """
        shown = self if max_side is None else shrink_flat(self, max_side)
        alpha = self.alpha if shown is self or self.alpha is None else shrink_original(self._original, max_side).alpha
        picture = base64.b64encode(encode_png(shown, alpha)).decode()
        named = (self.given or Palette.of_hex(self.hex_colors)).colors
        told = [
            f"{called(color)} {share:.1%}".lstrip() for color, share in zip(named, self.shares.tolist(), strict=True)
        ]
        swatches = "".join(map(swatch, self.hex_colors, told))
        return (
            f'<figure style="margin:0;max-width:{width}"><img style="max-width:100%" alt="{escape(repr(self))}" '
            f'src="data:image/png;base64,{picture}"><figcaption>{escape(title)}{self._measures}</figcaption>'
            f'<div style="font:12px monospace">{swatches}</div></figure>'
        )

    @property
    def _original(self) -> Original:
        """The flat image with its opacity, as what is shrunk."""
        return Original(self.flat, self.alpha)


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

    def __init__(self, flats: dict[int, FlatImage], original: Original, target: str = "knee") -> None:
        self._flats, self._original, self._target = flats, original, target

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
        side = frame_side(options)
        flats = {k: shrink_flat(flat, side) for k, flat in self.items()}
        place.write_bytes(encode_animation(flats, shrink_original(self._original, side), options))

    def _repr_html_(self) -> str:
        """A grid of all k, each with its colours; the suggested one is marked."""
        best = self.suggested_k
        figures = "".join(
            flat.figure("100%", f"k = {k}{' (suggested)' * (k == best)}: ", _GRID_SIDE) for k, flat in self.items()
        )
        columns = "grid-template-columns:repeat(auto-fill,minmax(240px,1fr))"
        return f'<div style="display:grid;gap:1em;{columns}">{figures}</div>'
