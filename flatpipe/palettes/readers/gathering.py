"""The colours of a file as they are read, one by one: counted, limited, and with what was done to them."""

from __future__ import annotations

from collections import Counter

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette, PaletteColor
from flatpipe.palettes.titles import cleaned, cleaned_code, named
from flatpipe.text import counted

MOST_COLORS = 65_536
# ^ that a palette may have: four times the largest chart that is sold, and still quick to search


class Gathering:
    """Colours in their order, with notes; raises ConfigError beyond the most that a palette may have."""

    def __init__(self) -> None:
        self._colors: list[PaletteColor] = []
        self._notes: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._colors)

    def add(self, levels: tuple[int, int, int], name: str = "", code: str = "") -> None:
        """Take a colour of three levels, 0..255, as it is called."""
        check_count(len(self._colors) + 1)
        if name or code:
            name, code = cleaned(name), cleaned_code(code)
        self._colors.append(PaletteColor(*levels, name, code))

    def add_titled(self, levels: tuple[int, int, int], title: str) -> None:
        """Take a colour whose name and code stand in one text, as our own files have them."""
        color = PaletteColor(*levels)
        self.add(levels, *named(title, color.hex))

    def note(self, words: str) -> None:
        """Say of one colour more what was done: `of CMYK, converted without a profile`."""
        self._notes[words] += 1

    def palette(self, title: str = "", *remarks: str) -> Palette:
        """All of them, with remarks on the file as a whole; raises ConfigError when there is none."""
        if not self._colors:
            raise ConfigError(f"it holds no colour; {ALLOWED}")
        twice = len(self._colors) - len({color.hex for color in self._colors})
        if twice:
            self._notes["that had stood in it before, kept"] = twice
        notes = [f"{counted(number, 'colour')} {words}" for words, number in self._notes.items()]
        return Palette(tuple(self._colors), cleaned(title), (*remarks, *notes))


ALLOWED = f"1 to {MOST_COLORS:,} are allowed"


def check_count(number: int) -> None:
    """Raise ConfigError when a palette of so many colours is too large."""
    if number > MOST_COLORS:
        raise ConfigError(f"it holds more than {MOST_COLORS:,} colours; {ALLOWED}")
