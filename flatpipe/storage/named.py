"""Images that a command line names: files, folders, globs and URLs, as one stream, each image once."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from wcmatch import glob

from flatpipe.errors import ConfigError
from flatpipe.places import CONFIG, SCHEMA, is_url, place_of
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.litter import PassedOver
from flatpipe.storage.patterns import PATTERN_RULES


def places_named(words: Sequence[str]) -> tuple[str, ...]:
    """The places that words of a command line stand for, sorted, each once: paths, URLs, and what globs match.

    Raises ConfigError for a word that stands for nothing, or alone for a config.
    """
    if len(words) == 1 and words[0].endswith((".yaml", ".yml")):
        raise ConfigError(f"{words[0]} is a config: flatpipe run {shlex.quote(words[0])}")
    meant = {place for word in words for place in _meant(word)}
    return tuple(sorted(place for place in meant if Path(place).name not in (CONFIG, SCHEMA)))
    # ^ photos/* names what `flatpipe init` has put there


def common_place(places: Sequence[str]) -> str:
    """The deepest folder that holds all places; of URLs the first."""
    if any(is_url(place) for place in places):
        return places[0]
    return os.path.commonpath([place if Path(place).is_dir() else str(Path(place).parent) for place in places])


@dataclass(frozen=True)
class NamedInput:
    """What a command line names, in the place of a config's input."""

    places: tuple[str, ...]
    # ^ as `places_named` gives them
    folders: Selection
    # ^ what is taken of a folder; its root is each of them in turn

    @property
    def is_told_apart(self) -> bool:
        """Whether no two images can have one id: all ids are paths below one place."""
        return len(self.places) == 1 or not any(map(is_url, self.places))

    def images(self, passed_over: PassedOver) -> Iterator[ImageSource | RefusedFile]:
        """Every image, as a stream; its id is its path below the deepest common folder, or below its URL.

        What is passed over is counted in `passed_over`. Raises OSError for what cannot be listed.
        """
        seen: set[str] = set()
        for place in self.places:
            prefix = self._prefix(place)
            for item in discover(replace(self.folders, root=place), passed_over):
                source = item.source if isinstance(item, RefusedFile) else item
                if self._may_meet and source.path in seen:
                    continue
                if self._may_meet:
                    seen.add(source.path)
                yield _renamed(item, f"{prefix}{source.image_id}")

    def _prefix(self, place: str) -> str:
        """What stands before the ids of a place, the last "/" included."""
        if len(self.places) == 1:
            return ""
        if is_url(place):
            return f"{place.rpartition('/')[2]}/"
        folder = place if Path(place).is_dir() else str(Path(place).parent)
        below = os.path.relpath(folder, common_place([one for one in self.places if not is_url(one)]))
        return "" if below == "." else f"{below}/"

    @cached_property
    def _may_meet(self) -> bool:
        """Whether one place lies within another."""
        folders = [f"{place}/" for place in self.places if not is_url(place) and Path(place).is_dir()]
        return any(place.startswith(folder) for folder in folders for place in self.places)


def _meant(word: str) -> list[str]:
    """The places that one word stands for."""
    place = place_of(word, Path.cwd())
    if is_url(place):
        if "*" in word:
            raise ConfigError(f"{word}: a URL takes no *; name the folder, and -s 'input.include=[...]'")
        return [place]
    if os.path.lexists(place):
        return [place]
    if not glob.is_magic(word, flags=PATTERN_RULES):
        raise ConfigError(f"{word}: no such file or folder")
    found: list[str] = glob.glob(place, flags=PATTERN_RULES & ~glob.MATCHBASE & ~glob.FORCEUNIX)
    # ^ MATCHBASE would find *.png in every folder below, as no shell does
    if not found:
        raise ConfigError(f"{word}: nothing is called so")
    return found


def _renamed(item: ImageSource | RefusedFile, image_id: str) -> ImageSource | RefusedFile:
    if isinstance(item, RefusedFile):
        return replace(item, source=replace(item.source, image_id=image_id))
    return replace(item, image_id=image_id)
