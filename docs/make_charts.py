"""Write docs/charts.md and its pictures from the charts themselves: python docs/make_charts.py."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from flatpipe.palettes.charts import CHARTS, chart

PLACE = Path(__file__).with_name("charts.md")
PICTURES = PLACE.parent / "pictures" / "charts"
SIDE, ACROSS = 24, 32
# ^ pixels of a swatch; swatches in a row

HEAD = """\
# Charts and palette files

This page is written from the charts themselves (`python docs/make_charts.py`). A palette is named by a chart's word, such as `pico-8`, or by
the place of a file: a path or a URL. A file that is called like a chart is named with a path, `./pico-8`.

## Files that are read

What a file is, its content says first, its suffix second. It has 1 to 65,536 colours, in their order; a colour that comes twice stays twice,
and is told. Names are kept without control characters, up to 255 characters; codes stand in brackets behind them, `Black [310]`, where a
format has one text for both. A file of more than 16 MiB, a folder, a pipe or a device is refused.

| file | from | names | what is converted, and said |
|---|---|---|---|
| `.gpl` | GIMP, Inkscape, Krita, Aseprite; versions 1 and 2 | yes | opacity (`Channels: RGBA`) is dropped |
| `.ase` | Adobe Swatch Exchange 1.0; groups are taken together | yes | CMYK by the plain formula, as the file has no profile; Lab from D50 by Bradford |
| `.aco` | Photoshop swatches, versions 1 and 2 | version 2 | the same; HSB, grey (as ink, 10,000 is black) and wide CMYK too; colours of books such as Pantone's are refused |
| `.act` | Adobe color table, 768 or 772 bytes | no | the transparent row is read as its colour |
| `.pal` | JASC (Paint Shop Pro), and RIFF (Microsoft) | no | opacity is dropped |
| `.hex`, `.txt` | Lospec, Paint.NET: `rrggbb`, `#rrggbb`, `aarrggbb`, `#rrggbbaa`, one a line; `;`, `//` and `# ` are comments | behind the colour | opacity is dropped |
| `.csv`, `.tsv` | spreadsheets: columns `hex` or `r`, `g`, `b`, then `name` and `code`, in any order, by comma, semicolon, tab or bar; or without a first row that names them | yes | text that is not UTF-8 is read as Windows-1252 |
| `.png` | an indexed picture: its palette, in the order of its index | no | opacity and profile are not applied |

`.gpl`, `.ase`, `.aco`, `.act`, `.pal` (JASC), `.csv`, `.css` and `.hex` are written, see [outputs.md](outputs.md).

## Charts that come along

Each is a GIMP palette in `flatpipe/palettes/charts/`, with its source and licence in its head. Values of colours are facts; where they were
measured, it is said by whom. What a screen or a panel shows differs from one to the next: measure yours where it matters.

| word | colours | what it is |
|---|---|---|
"""  # noqa: E501


def charts_page() -> str:
    """The text of docs/charts.md."""
    rows = "".join(f"| `{word}` | {len(chart(word))} | {meaning} |\n" for word, meaning in CHARTS.items())
    return HEAD + rows + "".join(map(_section, CHARTS))


def picture(word: str) -> str:
    """A chart as an SVG: its colours in rows, each with its name where a pointer rests."""
    colors = chart(word).colors
    width, height = SIDE * min(ACROSS, len(colors)), SIDE * -(-len(colors) // ACROSS)
    swatches = (
        f'<rect x="{SIDE * (row % ACROSS)}" y="{SIDE * (row // ACROSS)}" width="{SIDE}" height="{SIDE}" '
        f'fill="{color.hex}"><title>{color.hex} {color.name}</title></rect>\n'
        for row, color in enumerate(colors)
    )
    size = f'width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{"".join(swatches)}</svg>\n'


def _section(word: str) -> str:
    return f"\n### `{word}`\n\n![{chart(word).title}](pictures/charts/{word}.svg)\n\n{_facts(word)}"


def _facts(word: str) -> str:
    """Source and licence, as the chart's file has them, a paragraph each."""
    text = (files("flatpipe.palettes") / "charts" / f"{word}.gpl").read_text(encoding="utf-8")
    comments = " ".join(re.findall(r"^# (.*)$", text, re.MULTILINE))
    facts = [fact.strip() for fact in re.split(r"(?=Licence: )", comments) if fact.strip()]
    return "\n\n".join(fact if "://" in fact.split()[-1] else f"{fact}." for fact in facts) + "\n"


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(charts_page(), encoding="utf-8")
    for name in CHARTS:
        (PICTURES / f"{name}.svg").write_text(picture(name), encoding="utf-8")
