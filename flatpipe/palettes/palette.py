"""A palette with names: what a chart, a brand or a palette file says of its colours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PaletteColor:
    """One colour in 8-bit sRGB, with what people call it."""

    red: int
    green: int
    blue: int
    # ^ levels, 0..255
    name: str = ""
    code: str = ""
    # ^ what it is ordered by, such as "DMC 310"; "": none

    @classmethod
    def of_hex(cls, color: str, name: str = "", code: str = "") -> Self:
        """The colour "#rrggbb"."""
        red, green, blue = bytes.fromhex(color.removeprefix("#"))
        return cls(red, green, blue, name, code)

    @property
    def hex(self) -> str:
        """The colour as "#rrggbb"."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


@dataclass(frozen=True)
class Palette:
    """Colours in their order, one at least; the same colour may stand in it more than once."""

    colors: tuple[PaletteColor, ...]
    title: str = ""
    notes: tuple[str, ...] = field(default=(), compare=False)
    # ^ what was done to read it, a sentence each: entries converted, duplicates found

    @classmethod
    def of_hex(cls, colors: Iterable[str], title: str = "", known: Palette | None = None) -> Self:
        """The palette of colours "#rrggbb", with the names and codes that they have in a palette that is known."""
        found = ((known and known.find(color)) or PaletteColor.of_hex(color) for color in colors)
        return cls(tuple(found), title)

    def __len__(self) -> int:
        return len(self.colors)

    @property
    def hex_colors(self) -> tuple[str, ...]:
        """Each colour as "#rrggbb"."""
        return tuple(color.hex for color in self.colors)

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The colours as an array (n, 3) uint8."""
        import numpy as np  # late: a config is checked without it

        levels = [(color.red, color.green, color.blue) for color in self.colors]
        return np.array(levels, dtype=np.uint8).reshape(-1, 3)

    def find(self, color: str) -> PaletteColor | None:
        """The entry of a colour "#rrggbb", the first of several; None when there is none."""
        return self._by_hex.get(color.lower())

    @cached_property
    def _by_hex(self) -> dict[str, PaletteColor]:
        return {color.hex: color for color in reversed(self.colors)}
