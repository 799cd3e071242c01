"""Palettes that images share as jobs, each a small Dask graph: colours counted, added up, palettes found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dask.delayed import Delayed, delayed

from flatpipe.engines.graph import in_utf8, task
from flatpipe.ledger.shared_rows import StoredSum, WantedPalette
from flatpipe.records import ImageSource
from flatpipe.settings import TaskSettings
from flatpipe.work.shared import counting, palettes


@dataclass(frozen=True, slots=True, eq=False)
class CountedPart:
    """Images of a group whose colours are counted together."""

    group: str
    row: int
    # ^ of the part among those of its group
    sources: tuple[ImageSource, ...]
    how: str
    # ^ digest of how colours are counted

    @property
    def names(self) -> tuple[str, ...]:
        """The images' ids."""
        return tuple(source.image_id for source in self.sources)


@dataclass(frozen=True, slots=True, eq=False)
class AddedSum:
    """Sums that are added up."""

    key: str
    parts: tuple[StoredSum, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What they are."""
        return (f"the colours of {len(self.parts)} parts",)


@dataclass(frozen=True, slots=True, eq=False)
class GroupPalettes:
    """The palettes of one group that are to be found."""

    palettes: tuple[WantedPalette, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Whose they are."""
        return (f"palettes of {self.palettes[0].group or 'the top folder'}",)


def count_graph(part: CountedPart, attempt: int, settings: TaskSettings) -> Delayed:
    """Count the colours of a part's images; computing it gives a tuple of one SumResult."""
    name = (f"{settings.run}.{attempt}", in_utf8(part.sources[0].image_id))
    counted = task(counting.count, sources=part.sources, settings=settings, how=part.how)
    return _all([counted(dask_key_name=("count", *name))], "counted", name)


def sum_graph(added: AddedSum, attempt: int, settings: TaskSettings) -> Delayed:
    """Add stored sums up; computing it gives a tuple of one SumResult."""
    name = (f"{settings.run}.{attempt}", added.key)
    total = task(counting.add_up, key=added.key, parts=added.parts, settings=settings)
    return _all([total(dask_key_name=("sum", *name))], "summed", name)


def palettes_graph(wanted: GroupPalettes, attempt: int, settings: TaskSettings) -> Delayed:
    """Find the palettes of a group, each k by itself; computing it gives a tuple of PaletteResults."""
    name = (f"{settings.run}.{attempt}", in_utf8(wanted.palettes[0].group))
    found = [
        task(palettes.find, wanted=palette, settings=settings)(dask_key_name=("palette", *name, palette.k))
        for palette in wanted.palettes
    ]
    return _all(found, "palettes", name)


def _all(results: list[Any], word: str, name: tuple[str, str]) -> Delayed:
    return delayed(_as_tuple, name=word, pure=False, traverse=True)(*results, dask_key_name=(word, *name))


def _as_tuple(*results: object) -> tuple[object, ...]:
    return results
