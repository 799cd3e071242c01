"""The palette that the Python API gives and takes: read, saved, looked at in a notebook, and put onto images."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Self, cast, get_args

from flatpipe.api.checks import check_choice
from flatpipe.api.flat_image import FlatImage, swatch
from flatpipe.api.image_like import ImageLike, original_of
from flatpipe.errors import ConfigError
from flatpipe.palettes import palette as records
from flatpipe.palettes.titles import called
from flatpipe.palettes.write import write_palette
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.flatten import flatten_to
from flatpipe.quantize.options import MAX_K, Dither, FlattenOptions, Space
from flatpipe.storage.palette_files import read_palette
from flatpipe.text import counted
from flatpipe.vocabulary import PaletteFormat


class Palette(records.Palette):
    """Colours in their order, with names and codes where they have them.

    `colors` are records with `red`, `green`, `blue`, `hex`, `name` and `code`; `hex_colors` and `rgb` (n, 3) uint8 are
    all of them, `title` and `notes` what the file says, and what was done to read it. A notebook shows the swatches.

    >>> import flatpipe
    >>> console = flatpipe.Palette.read("pico-8")
    >>> console
    <Palette 'PICO-8', 16 colours>
    >>> console.colors[8].name, console.colors[8].code, console.colors[8].hex
    ('red', '8', '#ff004d')
    >>> console.save("pico-8.ase")
    >>> flatpipe.Palette.read("pico-8.ase").colors == console.colors
    True
    >>> flatpipe.Palette.of_hex(["#1d2b53", "#fff1e8"]).rgb.tolist()
    [[29, 43, 83], [255, 241, 232]]
    """

    @classmethod
    def read(cls, source: str | os.PathLike[str]) -> Self:
        """Return the palette of a file, a path or a URL, or the chart of a word such as "pico-8".

        docs/charts.md has the formats and the charts. Raises ConfigError for what is no palette.
        """
        found = read_palette(os.fspath(source))
        return cls(found.colors, found.title, found.notes)

    def save(self, path: str | Path) -> None:
        """Save the palette as the name's suffix says: .gpl, .ase, .csv and others, with names where they have room.

        Raises ConfigError for another suffix and for more colours than the format holds, OSError when the file cannot
        be written.
        """
        place = Path(path)
        kind = place.suffix.lower().lstrip(".")
        if kind not in get_args(PaletteFormat):
            allowed = ", ".join(f".{word}" for word in get_args(PaletteFormat))
            raise ConfigError(f"{place}: the name must end in one of {allowed}")
        titled = records.Palette(self.colors, self.title or place.stem)
        place.write_bytes(write_palette(cast(PaletteFormat, kind), titled))

    def apply(
        self, image: ImageLike, *, dither: Dither = "none", match: Space = "rgb", alpha: str = "keep"
    ) -> FlatImage:
        """Return the image in these colours: the FlatImage whose `palette` is this one, row by row.

        Each pixel gets the nearest colour, measured in `match`, "rgb" or "oklab"; `dither` ("floyd-steinberg" or
        "blue-noise") mixes colours that are not there out of those that are. `image` and `alpha` are as in `flatten`.
        Raises ConfigError for arguments that cannot be and for more than 256 colours, ImageError for the image.

        >>> import flatpipe
        >>> flat = flatpipe.Palette.read("spectra-6").apply("data/kodim23.png", dither="floyd-steinberg")
        >>> flat.n_colors, flat.hex_colors[3]
        (6, '#711813')
        >>> flat.save("panel.png")
        """
        check_choice("dither", dither, Dither)
        check_choice("match", match, Space)
        if len(self) > MAX_K:
            raise ConfigError(f"a flat image has {MAX_K} colours at most, and this palette {len(self):,}")
        original = original_of(image, alpha)
        indexed = index_colors(original.pixels, original.alpha)
        flat = flatten_to(indexed, self.rgb, FlattenOptions(match=match, dither=dither))
        return FlatImage.of(flat, original.alpha, self)

    def __repr__(self) -> str:
        title = f" {self.title!r}," if self.title else ""
        return f"<Palette{title} {counted(len(self), 'colour')}>"

    def _repr_html_(self) -> str:
        swatches = "".join(swatch(color.hex, called(color)) for color in self.colors)
        return f'<div style="font:12px monospace">{escape(self.title)}<br>{swatches}</div>'
