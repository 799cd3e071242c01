"""Palettes by the words that a user writes: a chart that comes along, a file, or a URL."""

from __future__ import annotations

import os
from pathlib import Path

from flatpipe.errors import ConfigError
from flatpipe.palettes.charts import CHARTS, chart, is_chart
from flatpipe.palettes.palette import Palette
from flatpipe.palettes.read import palette_of
from flatpipe.places import is_url, name_of_url, place_of
from flatpipe.storage.reading import read_file_within
from flatpipe.text import nearest

MOST_BYTES = 16 << 20
# ^ of a palette file: a chart of 65,536 long names has 17 MB, and no picture with a palette should be read whole


def read_palette(text: str, folder: str | os.PathLike[str] = ".") -> Palette:
    """The palette that a text names: a chart's word such as `pico-8`, or the place of a palette file.

    Relative paths start at `folder`. A file that is called like a chart is named with a path, as `./pico-8`. Raises
    ConfigError, in one sentence, for what cannot be read.
    """
    if is_chart(text):
        return chart(text)
    place = place_of(text, Path(folder).absolute())
    try:
        content = read_file_within(place, MOST_BYTES)
    except FileNotFoundError:
        raise ConfigError(f"{place}: there is no such file{_meant(text)}") from None
    except OSError as error:
        raise ConfigError(f"{place}: {error.strerror or error}") from error
    return palette_of(content, name_of_url(place) if is_url(place) else place)


def _meant(text: str) -> str:
    """What else a text may mean that names no file: a chart, when it looks like a word."""
    if "/" in text or "." in text:
        return ""
    near = nearest(text, CHARTS)
    question = f"; did you mean {near}?" if near else ";"
    return f", and no such chart{question} charts are {', '.join(CHARTS)}"
