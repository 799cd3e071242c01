"""The colours that a config allows and fixes, and how many it asks for."""

from __future__ import annotations

from flatpipe.config import Config
from flatpipe.config.sections.palette import FixedEntry
from flatpipe.config.values import ALL, ValueRefused
from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette, PaletteColor
from flatpipe.quantize.options import MAX_K, FixedColor, FlattenOptions
from flatpipe.storage.palette_files import read_palette
from flatpipe.text import spans


def chart_of(config: Config) -> Palette | None:
    """The colours of palette.from; None without one. Raises ConfigError."""
    return config.once("chart", lambda: _read_chart(config))


def _read_chart(config: Config) -> Palette | None:
    source = config.palette.from_
    if source is None:
        return None
    try:
        return read_palette(source)
    except ConfigError as error:
        raise config.refused(("palette", "from"), str(error)) from error


def ks_of(config: Config) -> tuple[int, ...]:
    """The numbers of colours to make, ascending: none beyond what a chart has, none below those that are fixed.

    Raises ConfigError when the chart cannot be read, or fixed colours and k do not go together.
    """
    return config.once("ks", lambda: _find_ks(config))


def _find_ks(config: Config) -> tuple[int, ...]:
    k, auto_max = config.flatten.k, config.flatten.auto.max
    if config.palette.fixed and config.flatten.solver != FlattenOptions().solver:
        words = f"{config.flatten.solver} moves every colour; fixed ones need {FlattenOptions().solver}"
        raise config.refused(("flatten", "solver"), words)
    try:
        return _ks_wanted(k, auto_max, chart_of(config), config.palette.fixed)
    except ValueRefused as error:
        raise config.refused(error.inner, str(error)) from error


def flatten_options(config: Config) -> FlattenOptions:
    """How colours are found and given to pixels; raises ConfigError when the chart cannot be read."""
    flatten, palette, chart = config.flatten, config.palette, chart_of(config)
    return FlattenOptions(
        solver=flatten.solver,
        seed=flatten.seed,
        space=flatten.space,
        chart=() if chart is None else chart.hex_colors,
        fixed=tuple(FixedColor(entry.hex, entry.index) for entry in palette.fixed),
        match=palette.match,
        dither=flatten.dither,
    )


def named_colors(config: Config) -> tuple[PaletteColor, ...]:
    """The colours that have a name or a code: fixed ones, then those of the chart, each colour once."""
    chart = chart_of(config)
    fixed = (PaletteColor.of_hex(entry.hex, entry.name, entry.code) for entry in config.palette.fixed)
    named: dict[str, PaletteColor] = {}
    for color in (*fixed, *(() if chart is None else chart.colors)):
        if color.name or color.code:
            named.setdefault(color.hex, color)
    return tuple(named.values())


def _ks_wanted(
    k: tuple[int, ...] | str, auto_max: int, chart: Palette | None, fixed: tuple[FixedEntry, ...]
) -> tuple[int, ...]:
    """The same from its parts; raises ValueRefused, whose `inner` is the key."""
    always = {entry.hex for entry in fixed}
    most = MAX_K if chart is None else len({*chart.hex_colors, *always})
    if k == ALL:
        if chart is None:
            raise ValueRefused("all takes the whole of palette.from, which names no colours", "flatten", "k")
        if most > MAX_K:
            words = f"all takes {most} colours, and an image has at most {MAX_K}: name a k, and the best are chosen"
            raise ValueRefused(words, "flatten", "k")
        return (most,)
    wanted: tuple[int, ...] = tuple(range(2, auto_max + 1)) if isinstance(k, str) else k
    ks = tuple(sorted({min(max(one, len(always)), most) for one in wanted}))
    beyond = max((entry.index for entry in fixed if entry.index is not None), default=-1)
    if beyond >= ks[0]:
        words = f"index {beyond} needs more than {ks[0]} colours; flatten.k asks for {spans(ks)}"
        raise ValueRefused(words, "palette", "fixed")
    return ks
