"""Images of several places, which a command line or a config names: files, folders, globs, URLs; each image once."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from flatpipe.errors import ConfigError
from flatpipe.places import CONFIG, SCHEMA, is_url, name_of_url, place_of
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.archives.kinds import is_archive
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.litter import PassedOver, unsought
from flatpipe.storage.patterns import Patterns
from flatpipe.storage.several.globs import NothingFound, matches, named
from flatpipe.storage.several.merging import Stream, in_order, order_of, source_of_item


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
    return os.path.commonpath([str(Path(place).parent) if _is_file(place) else place for place in places])


def _is_file(place: str) -> bool:
    return Path(place).exists() and not Path(place).is_dir()


@dataclass(frozen=True)
class NamedInput:
    """Several places as one input: those that a command line names, or a config."""

    places: tuple[str, ...]
    # ^ sorted, each once
    folders: Selection
    # ^ what is taken of a folder; its root is each of them in turn
    starts: tuple[str, ...] = ()
    # ^ of each place the folder or URL where the pattern begins that has found it, or the place itself; (): all
    #   are named as they are. What stands before ids does not depend on what a pattern finds
    found: frozenset[str] = frozenset()
    # ^ places that a `*` has found: files among them must be asked for as those of a folder are

    @property
    def is_told_apart(self) -> bool:
        """Whether no two images can have one id: all ids are paths below one place."""
        return len(self.places) == 1 or not any(map(is_url, self.places))

    def images(self, passed_over: PassedOver) -> Iterator[ImageSource | RefusedFile]:
        """Every image, as a stream, in the byte order of ids.

        An id is a path below the deepest common folder, or below the URL's last part, or so many as tell it from those
        of other URLs. What is passed over is counted in `passed_over`. Raises OSError for what cannot be listed.
        """
        begins = self._begins()
        streams = [
            Stream(order_of(begin), partial(self._images_of, place, begin, passed_over))
            for place, begin in begins.items()
            if place not in self.found or self._is_asked_for(place, begin, passed_over)
        ]
        return each_once(in_order(sorted(streams, key=lambda stream: stream.first)), frozenset(begins.values()))

    def _images_of(self, place: str, begin: str, passed_over: PassedOver) -> Iterator[ImageSource | RefusedFile]:
        """The images of one place, whose ids begin so: a file's is that, a folder's are below it."""
        is_empty = True
        for item in discover(replace(self.folders, root=place, begin=begin), passed_over):
            yield below(item, place, begin)
            is_empty = False
        if is_empty and not is_archive(place):
            passed_over.empty.append(place)

    def _is_asked_for(self, place: str, begin: str, passed_over: PassedOver) -> bool:
        """Whether what a pattern has found is a folder, or a file to be taken."""
        name = Path(place).name
        if is_url(place) or Path(place).is_dir():
            return unsought(name) is None
        why = unsought(name)
        is_taken = self._patterns.open_archive if is_archive(name) else self._patterns.match
        if why is None and is_taken(begin):
            return True
        passed_over.add(why or "other files", name)
        return False

    @cached_property
    def _patterns(self) -> Patterns:
        return Patterns(self.folders.include, self.folders.exclude)

    def _begins(self) -> dict[str, str]:
        """By place, what stands before the ids of its images."""
        starts = dict(zip(self.places, self.starts or self.places, strict=True))
        local = [start for start in starts.values() if not is_url(start)]
        base = common_place(local) if local else ""
        first = _first_parts(sorted({start.rstrip("/") for start in starts.values() if is_url(start)}))
        if len(set(starts.values())) == 1:
            first = dict.fromkeys(first, "")
        return {
            place: _below_url(place, start.rstrip("/"), first) if is_url(place) else _below(place, base)
            for place, start in starts.items()
        }


def below(item: ImageSource | RefusedFile, place: str, begin: str) -> ImageSource | RefusedFile:
    """What was found at a place, under its id among all: a file's id is `begin`, a folder's are below it."""
    source = source_of_item(item)
    if source.path == place.rstrip("/"):
        name = name_of_url(place.rstrip("/")) if is_url(place) else Path(place).name
        return _renamed(item, begin + source.image_id.removeprefix(name))
    return _renamed(item, f"{begin}/{source.image_id}" if begin else source.image_id)


def _below(place: str, base: str) -> str:
    path = os.path.relpath(place, base)
    return "" if path == "." else path


def _below_url(place: str, start: str, first: dict[str, str]) -> str:
    below = place.rstrip("/").removeprefix(start).lstrip("/")
    return f"{first[start]}/{below}".strip("/") if first[start] or below else ""


def _first_parts(urls: Sequence[str]) -> dict[str, str]:
    """By URL, its last parts: one, or as many as tell it from every other."""
    parts = {url: [*filter(None, url.partition("://")[2].split("/")[:-1]), name_of_url(url)] for url in urls}
    found = dict[str, str]()
    for url in urls:
        own, others = parts[url], [parts[other] for other in urls if other != url]
        depths = range(1, len(own))
        depth = next((depth for depth in depths if all(one[-depth:] != own[-depth:] for one in others)), len(own))
        found[url] = "/".join(own[-depth:])
    return found


def each_once(
    items: Iterable[ImageSource | RefusedFile], places: frozenset[str]
) -> Iterator[ImageSource | RefusedFile]:
    """The images without those that come again: one place may lie within another. `places` are ids of places."""
    last: tuple[str, str, str] | None = None
    refused: set[str] = set()
    # ^ places: a folder that cannot be listed comes at the place of what it holds
    for item in items:
        source = source_of_item(item)
        key = (source.image_id, source.path, source.part)
        if key == last or source.image_id in refused:
            continue
        if isinstance(item, RefusedFile) and source.image_id in places:
            refused.add(source.image_id)
        last = key
        yield item


def _meant(word: str) -> list[str]:
    """The places that one word of a command line stands for."""
    place = place_of(word, Path.cwd())
    if is_url(place) and "*" in word:
        raise ConfigError(f"{word}: a URL takes no *; name the folder, and -s 'input.include=[...]'")
    given = named(place)
    if not given.pattern:
        if not is_url(place) and not os.path.lexists(place):
            raise ConfigError(f"{word}: no such file or folder")
        return [place]
    try:
        return [match.place for match in matches(given)]
    except NothingFound:
        raise ConfigError(f"{word}: nothing is called so") from None


def _renamed(item: ImageSource | RefusedFile, image_id: str) -> ImageSource | RefusedFile:
    if isinstance(item, RefusedFile):
        return replace(item, source=replace(item.source, image_id=image_id))
    return replace(item, image_id=image_id)
