"""The images that the Python API returns: arrays that can be saved, and looked at in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.animation import encode_animation, frame_side
from flatpipe.encode.frames import Original, shrink_flat, shrink_original
from flatpipe.encode.palettes import write_palette
from flatpipe.encode.png import encode_png
from flatpipe.errors import ConfigError
from flatpipe.layout import animation_suffix
from flatpipe.quantize.knee import suggested_k
from flatpipe.quantize.palette_image import FlattenedImage
from flatpipe.records import AnimationOptions
from flatpipe.text import counted
from flatpipe.vocabulary import SHORTEST_MS, AnimationFormat, PaletteFormat

_ANIMATIONS: dict[str, AnimationFormat] = {
    f".{suffix}": kind for kind in get_args(AnimationFormat) for suffix in (animation_suffix(kind), kind)
}
# ^ an APNG may be called .png or .apng


@dataclass(frozen=True, eq=False)
class FlatImage(FlattenedImage):
    """An image in few colours: `palette` (n_colors, 3) uint8 from dark to light, `label_map` (H, W) uint8, `mse`.

    Also `flat` (H, W, 3) uint8, the recoloured image; `alpha` (H, W) uint8 or None; `weights` and `shares` of the
    colours; `n_colors`; `psnr` in dB; `hex_colors`. A notebook shows the image and its palette.
    """

    alpha: NDArray[np.uint8] | None = None

    def save(self, path: str | Path) -> None:
        """Save the image as a palette PNG (.png), or its palette (.ase, .gpl and others, by the name's suffix).

        Raises ConfigError for a suffix that is none of them, OSError when the file cannot be written.
        """
        place = Path(path)
        kind = place.suffix.lower().lstrip(".")
        if kind == "png":
            content = self._repr_png_()
        elif kind in get_args(PaletteFormat):
            content = write_palette(cast(PaletteFormat, kind), place.stem, self.hex_colors, self.shares.tolist())
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
        picture = base64.b64encode(self._repr_png_()).decode()
        swatches = "".join(
            f'<span title="{color} {share:.1%}" style="background:{color};flex:{max(share, 0.02):.4f}"></span>'
            for color, share in zip(self.hex_colors, self.shares.tolist(), strict=True)
        )
        return (
            f'<figure style="margin:0;max-width:40em"><img style="max-width:100%" alt="{escape(repr(self))}" '
            f'src="data:image/png;base64,{picture}"><div style="display:flex;height:1.5em">{swatches}</div>'
            f"<figcaption>{self._measures}</figcaption></figure>"
        )


class Sweep(Mapping[int, FlatImage]):
    """An image in several k: maps k, ascending, to FlatImage."""

    def __init__(self, flats: dict[int, FlatImage], original: Original) -> None:
        self._flats, self._original = flats, original

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
        """The k at the knee of the distortion curve, as in results.csv."""
        return suggested_k(list(self), [flat.mse for flat in self.values()]) or next(iter(self))

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
        """Save the animation: the flats from low k to high, then the original; .gif, .webp, or .png for an APNG.

        Durations in milliseconds; frames whose longest side exceeds max_side pixels are shrunk, None keeps them.
        `captions` writes each k into its frame; `fade` frames lead from each k to what comes next, within frame_ms.
        Raises ConfigError for another suffix and for more frames than frame_ms has time for, OSError when the file
        cannot be written.
        """
        place = Path(path)
        if place.suffix.lower() not in _ANIMATIONS:
            raise ConfigError(f"{place}: the name must end in one of {', '.join(_ANIMATIONS)}")
        kind = _ANIMATIONS[place.suffix.lower()]
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
        return "".join(flat._repr_html_() for flat in self.values())
