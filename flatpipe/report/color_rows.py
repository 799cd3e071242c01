"""colors.csv: which image uses how much of which colour, where images have colours in common."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from flatpipe.ledger.results import ImageResults, Results
from flatpipe.report.csv_text import csv_line, quoted
from flatpipe.settings import TaskSettings
from flatpipe.text import cell, printable

COLOR_COLUMNS = ("image", "k", "group", "index", "hex", "name", "code", "pixels", "share")


def has_common_colors(settings: TaskSettings) -> bool:
    """Whether images have colours in common: palettes that they share, a chart's colours, fixed ones."""
    return settings.is_shared or bool(settings.flatten.chart or settings.flatten.fixed)


class ColorRows:
    """Writes an image's colours, with the names and codes that the settings give them."""

    def __init__(self, settings: TaskSettings) -> None:
        self._named = {
            color: f"{_cell(printable(name))},{_cell(printable(code))}" for color, name, code in settings.named
        }
        self._columns = lru_cache(maxsize=256)(self._columns_of)
        # ^ images that share palettes come one after another

    def lines(self, results: Results) -> Iterator[str]:
        """The table, an image's lines at a time."""
        yield csv_line(COLOR_COLUMNS)
        yield from map(self.lines_of, results.images())

    def lines_of(self, image: ImageResults) -> str:
        """The rows of one image: for each k a row for each colour of the palette, in its order."""
        name, group = _cell(image.source.image_id), _cell(image.group or "")
        lines = []
        for flat in image.flats:
            weights = [int(weight) for weight in flat.weights.split()]
            total, begin = sum(weights) or 1, f"{name},{flat.k},{group},"
            lines += [
                f"{begin}{color}{weight},{weight / total:.6f}\n"
                for color, weight in zip(self._columns(flat.palette), weights, strict=True)
            ]
        return "".join(lines)

    def _columns_of(self, palette: str) -> tuple[str, ...]:
        """For each colour of "rrggbbrrggbb...": index, hex, name and code, as they stand in its row."""
        colors = [f"#{palette[at : at + 6]}" for at in range(0, len(palette), 6)]
        return tuple(f"{row},{color},{self._named.get(color, ',')}," for row, color in enumerate(colors))


def _cell(text: str) -> str:
    return quoted(cell(text))
