"""One palette for many images: their colours added up, and the best k of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from flatpipe.api.checks import check_choice, check_search, checked_color, checked_k
from flatpipe.api.image_like import ImageLike, original_of
from flatpipe.api.palette import Palette
from flatpipe.errors import ConfigError
from flatpipe.palettes import palette as records
from flatpipe.palettes.palette import PaletteColor
from flatpipe.quantize.choosing.find_palette import find_palette
from flatpipe.quantize.choosing.rows import fixed_colors
from flatpipe.quantize.color_table import ColorTable, index_colors
from flatpipe.quantize.options import FixedColor, FlattenOptions, Solver, Space, Weighing
from flatpipe.quantize.shared.clustering import clusterable, shared_pyramid
from flatpipe.quantize.shared.color_sums import ColorSums, color_weights

Colors = Iterable[str | PaletteColor] | Mapping[int, str | PaletteColor]


def common_palette(
    images: Iterable[ImageLike],
    k: int,
    *,
    fixed: Colors = (),
    chart: records.Palette | str | os.PathLike[str] | None = None,
    space: Space = "rgb",
    weigh: Weighing = "pixels",
    seed: int = 0,
    solver: Solver = "multilevel",
    alpha: str = "keep",
) -> Palette:
    """Return the palette of at most k colours in which all images together are shown best.

    Their colours are added up exactly, image by image, in bounded memory; the order does not matter. With a `chart`, a
    Palette or what `Palette.read` takes, only its colours are chosen from. `fixed` colours are always in: "#rrggbb" or
    records of a palette; where they are a mapping, its keys are the rows in which they stand. Of `weigh` "images" each
    image counts the same, of "pixels" a large one more. The rest is as in `flatten`, errors too.

    >>> import flatpipe
    >>> photographs = ["data/kodim03.png", "data/kodim23.png"]
    >>> common = flatpipe.common_palette(photographs, 6, fixed=["#ffffff"])
    >>> len(common), common.hex_colors[0]
    (6, '#ffffff')
    >>> flats = [common.apply(photograph) for photograph in photographs]
    >>> [color.name for color in flatpipe.common_palette(photographs, 3, chart="pico-8").colors]
    ['brown', 'dark grey', 'light grey']
    """
    check_search(seed, space, solver)
    check_choice("weigh", weigh, Weighing)
    number, wanted = checked_k(k), _fixed(fixed)
    allowed = chart if chart is None or isinstance(chart, records.Palette) else Palette.read(chart)
    options = FlattenOptions(
        solver=solver,
        seed=seed,
        space=space,
        chart=allowed.hex_colors if allowed else (),
        fixed=tuple(FixedColor(color.hex, row) for row, color in wanted),
    )
    _check_fixed(options, number)
    table = clusterable(_added(images, weigh, alpha))
    found = find_palette(table, shared_pyramid(table, options.searched_in), number, options)
    known = records.Palette((*(color for _, color in wanted), *(allowed.colors if allowed else ())))
    return Palette.of_hex(("#" + bytes(color).hex() for color in found.tolist()), known=known)


def _fixed(fixed: Colors) -> list[tuple[int | None, PaletteColor]]:
    """Each fixed colour behind the row that it asks for, None for any."""
    if isinstance(fixed, Mapping):
        return [(row, checked_color(color)) for row, color in fixed.items()]
    return [(None, checked_color(color)) for color in fixed]


def _check_fixed(options: FlattenOptions, k: int) -> None:
    try:
        fixed_colors(options.fixed, k)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _added(images: Iterable[ImageLike], weigh: Weighing, alpha: str) -> ColorTable:
    """The colours of all images, with what each counts; raises ConfigError where nothing is seen of any."""
    sums = ColorSums()
    for image in images:
        original = original_of(image, alpha)
        sums.add(color_weights(index_colors(original.pixels, original.alpha).table, original.alpha, weigh))
    table = sums.table
    if not table.counts.size:
        raise ConfigError("a common palette needs an image with a visible pixel, and there is none")
    return table
