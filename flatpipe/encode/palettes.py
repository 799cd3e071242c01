"""The palettes of an image's flats as bytes: palettes.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flatpipe.encode.descent import descent
from flatpipe.palettes.palette import Palette

_Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """The palette of one flat image."""

    k: int
    # ^ colours asked for
    palette: tuple[str, ...]
    # ^ "#rrggbb", by lightness
    shares: tuple[float, ...]
    # ^ part of the counted pixels that each colour covers, 0..1
    weights: tuple[int, ...]
    # ^ the same as a number of pixels, or of their opacities
    mse: float
    # ^ mean over pixels of the squared RGB distance to the written colour, summed over channels
    known: Palette | None = None
    # ^ where the names and codes of its colours are looked up


def palettes_json(image_id: str, entries: Iterable[PaletteEntry]) -> bytes:
    """palettes.json: for each k the colours with shares (6 decimals) and descent, and the mse (6 decimals)."""
    ascending = sorted(entries, key=lambda entry: entry.k)
    arrays = [None, *map(_arrays, ascending)]
    lines = ",\n".join(map(_line, ascending, arrays, arrays[1:]))
    # ^ one palette a line: short for the eye, and ten times faster than json's own indenting
    return f'{{"image": {json.dumps(image_id)}, "palettes": [\n{lines}\n]}}\n'.encode("ascii")


def _line(entry: PaletteEntry, before: _Arrays | None, here: _Arrays | None) -> str:
    """A palette and, where one came before, what of it each colour comes from: an object as json.dumps writes it."""
    origins = [""] * len(entry.palette)
    if before is not None and here is not None:
        found = descent(*before, *here)
        pairs = zip(found.is_new.tolist(), found.parent.tolist(), strict=True)
        origins = [f'"new": {"true" if is_new else "false"}, "parent": {parent}, ' for is_new, parent in pairs]
    colors = ", ".join(
        f'{{{code}"hex": "{color}", {name}{origin}"share": {round(share, 6)}}}'
        for color, (code, name), origin, share in zip(entry.palette, _called(entry), origins, entry.shares, strict=True)
    )
    return f'{{"colors": [{colors}], "k": {entry.k}, "mse": {round(entry.mse, 6)}, "n_colors": {len(entry.palette)}}}'


def _called(entry: PaletteEntry) -> list[tuple[str, str]]:
    """Code and name of each colour as parts of its object, empty where it has none."""
    if entry.known is None:
        return [("", "")] * len(entry.palette)
    found = (entry.known.find(color) for color in entry.palette)
    return [(_part("code", color.code), _part("name", color.name)) if color else ("", "") for color in found]


def _part(word: str, text: str) -> str:
    return f'"{word}": {json.dumps(text)}, ' if text else ""


def _arrays(entry: PaletteEntry) -> _Arrays:
    """The colours (n, 3) of a palette and their weights (n,)."""
    levels = np.frombuffer(bytes.fromhex("".join(entry.palette).replace("#", "")), dtype=np.uint8)
    return levels.reshape(-1, 3), np.array(entry.weights, dtype=np.int64)
