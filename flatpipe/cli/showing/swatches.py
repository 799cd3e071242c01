"""Images with their colours on the screen: a table in aligned columns, on a terminal with the colours themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from flatpipe.cli.showing.speaking import say, write_line

_COLOR = re.compile(r"#[0-9a-f]{6}")
_GAP, _SWATCH = "  ", "\u2588\u2588"


def print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Write rows of cells to stdout, the first of them a head; a cell that is a colour stands beside its swatch."""
    console = Console(highlight=False, soft_wrap=True)
    shown = [[_shown(cell) if console.is_terminal else Text(cell) for cell in row] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*shown, strict=True)]
    for row in shown:
        for cell, width in zip(row, widths, strict=True):
            cell.pad_right(width - cell.cell_len)
        line = Text(_GAP).join(row)
        line.rstrip()
        if console.is_terminal:
            with console.capture() as drawn:
                console.print(line)
            write_line(drawn.get().removesuffix("\n"))
        else:
            say(line.plain)


def _shown(cell: str) -> Text:
    """A cell as a terminal shows it."""
    color = _COLOR.fullmatch(cell)
    if color is None:
        return Text(cell)
    return Text.assemble((_SWATCH, color[0]), f" {cell}")
