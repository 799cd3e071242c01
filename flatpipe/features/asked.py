"""Colours as people ask for them: `#2244aa`, `2244aa`, `#24a`, or the name that CSS has for one."""

from __future__ import annotations

import re

from flatpipe.palettes.charts import chart
from flatpipe.text import nearest

_HEX = re.compile(r"#?([0-9a-f]{6})")
_SHORT_HEX = re.compile(r"#([0-9a-f]{3})")


def color_of(word: str) -> str | None:
    """The colour that a word names, as "#rrggbb"; None when it names none."""
    text = word.strip().lower()
    if found := _HEX.fullmatch(text):
        return f"#{found[1]}"
    if found := _SHORT_HEX.fullmatch(text):
        return "#" + "".join(2 * digit for digit in found[1])
    return _by_name().get(text.replace(" ", ""))


def meant(word: str) -> str:
    """In words, which name was surely meant; "" when none is near."""
    near = nearest(word, _by_name())
    return f"; did you mean {near}?" if near else ""


def _by_name() -> dict[str, str]:
    return {color.name: color.hex for color in chart("css").colors}
