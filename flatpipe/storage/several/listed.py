"""The images of a list as one stream in the order of ids, however long it is: what is known of each waits on disk."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

from flatpipe import layout
from flatpipe.errors import UnsupportedImage
from flatpipe.records import Failure, ImageSource, RefusedFile
from flatpipe.storage.archives.kinds import is_archive
from flatpipe.storage.archives.sorting import SortedRecords
from flatpipe.storage.asked import unreadable
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.litter import PassedOver
from flatpipe.storage.patterns import Patterns
from flatpipe.storage.several.entries import Entry, entry_of
from flatpipe.storage.several.list_file import entries_of
from flatpipe.storage.several.look_up import Found, Searched, looked_up
from flatpipe.storage.several.merging import Stream, in_order, order_of, source_of_item
from flatpipe.storage.several.named import below, each_once

_IN_MEMORY = 50_000
# ^ records of about 300 bytes
_FILE, _REFUSED, _SEARCHED = "f", "r", "s"
# ^ what a record is of


@dataclass(frozen=True)
class ListedInput:
    """A list that a config names, in the place of folders."""

    place: str
    # ^ of the list, a path or a URL
    column: str | None
    base: str
    # ^ where relative entries start
    asked: Selection
    # ^ what is taken of folders and archives
    takes_all: bool
    # ^ whether files are taken whatever they are called, unless they are excluded
    output: str = ""
    # ^ of which nothing is an input

    def images(self, passed_over: PassedOver) -> Iterator[ImageSource | RefusedFile]:
        """Every image; raises OSError when the list itself cannot be read, and ListRefused."""
        with contextlib.closing(SortedRecords(_IN_MEMORY)) as records:
            for found in looked_up(entry_of(text, self.base) for text in entries_of(self.place, self.column)):
                if self._is_asked_for(found, passed_over):
                    records.add(_record(self._refused_in_output(found)))
            streams = (self._stream(record, passed_over) for record in _each_once(iter(records), passed_over))
            yield from each_once(in_order(streams), frozenset())

    def _is_asked_for(self, found: Found, passed_over: PassedOver) -> bool:
        """Whether a file or archive is taken; folders are searched, and what is refused is told."""
        patterns = self._patterns
        if isinstance(found, RefusedFile):
            return True
        if isinstance(found, Searched):
            image_id = found.entry.image_id
            is_asked = not is_archive(layout.unmarked(image_id)) or patterns.open_archive(image_id)
        else:
            image_id = layout.unmarked(found.image_id)
            is_asked = not patterns.excludes(image_id) if self.takes_all else patterns.match(image_id)
        if not is_asked:
            passed_over.add("other files", image_id.rpartition("/")[2])
        return is_asked

    @cached_property
    def _patterns(self) -> Patterns:
        return self.asked.patterns()

    def _refused_in_output(self, found: Found) -> Found:
        if isinstance(found, ImageSource) and self._is_output(found):
            words = "it lies in the output folder; results are no input"
            return RefusedFile(found, Failure("discover", UnsupportedImage.error, words))
        return found

    def _is_output(self, source: ImageSource) -> bool:
        return bool(self.output) and source.path.startswith(f"{self.output}/")

    def _stream(self, record: str, passed_over: PassedOver) -> Stream:
        found = _found(record)
        if isinstance(found, Searched):
            return Stream(order_of(found.entry.image_id), partial(self._searched, found.entry, passed_over))
        source = found.source if isinstance(found, RefusedFile) else found
        return Stream(order_of(source.image_id), lambda: iter([found]))

    def _searched(self, entry: Entry, passed_over: PassedOver) -> Iterator[ImageSource | RefusedFile]:
        try:
            is_empty = True
            for item in discover(replace(self.asked, root=entry.place, begin=entry.image_id), passed_over):
                is_empty = False
                if not self._is_output(source_of_item(item)):
                    yield below(item, entry.place, entry.image_id)
                # ^ a killed run whose ledger lies elsewhere leaves images, and nothing that says what they are
            if is_empty and not is_archive(entry.image_id):
                passed_over.empty.append(entry.place)
        except OSError as error:
            yield RefusedFile(ImageSource(entry.image_id, entry.place, 0, ""), unreadable(error))


def _each_once(records: Iterator[bytes], passed_over: PassedOver) -> Iterator[str]:
    """The records without those of an entry that comes again, which are counted."""
    last = ""
    for record in records:
        text = os.fsdecode(record)
        if text == last:
            passed_over.add("repeated entries", "")
        else:
            last = text
            yield text


def _record(found: Found) -> bytes:
    """What sorts by id: no id holds a NUL, which sorts before whatever a longer one goes on with."""
    if isinstance(found, Searched):
        return os.fsencode(f"{found.entry.image_id}\0{found.entry.place}\0{_SEARCHED}")
    if isinstance(found, RefusedFile):
        source, failure = found.source, found.failure
        return os.fsencode(f"{source.image_id}\0{source.path}\0{_REFUSED}\0{failure.error}\0{failure.message}")
    return os.fsencode(f"{found.image_id}\0{found.path}\0{_FILE}\0{found.size}\0{found.stamp}")


def _found(record: str) -> Found:
    image_id, place, kind, *rest = record.split("\0")
    if kind == _SEARCHED:
        return Searched(Entry(place, image_id))
    if kind == _REFUSED:
        return RefusedFile(ImageSource(image_id, place, 0, ""), Failure("discover", rest[0], rest[1]))
    return ImageSource(image_id, place, int(rest[0]), rest[1])
