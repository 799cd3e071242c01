"""Images that are named on a command line, call after call, into one output: no two under one id, none under two."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.errors import ConfigError
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.names import NamesOnDisk
from flatpipe.plan.inputs.alike import rules_of
from flatpipe.plan.inputs.every_frame import every_frame
from flatpipe.plan.inputs.sources import Sources
from flatpipe.plan.settings import task_settings
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.archives.kinds import name_within
from flatpipe.storage.litter import PassedOver
from flatpipe.storage.name_rules import NameRules
from flatpipe.storage.several.named import NamedInput


def named_sources(
    named: NamedInput, config: Config, ledger: Ledger, passed_over: PassedOver
) -> Iterator[ImageSource | RefusedFile]:
    """Every image that is named, under an id of its own; raises ConfigError when a place cannot be listed."""
    try:
        found: Sources = named.images(passed_over)
        if config.input.frames == "all":
            found = every_frame(found, task_settings(config))
        rules = rules_of(str(config.output.path))
        with contextlib.closing(_Ids(ledger, rules, remembers=not named.is_told_apart)) as ids:
            for item in found:
                source = item.source if isinstance(item, RefusedFile) else item
                renamed = replace(source, image_id=ids.of(source))
                yield replace(item, source=renamed) if isinstance(item, RefusedFile) else renamed
    except OSError as error:
        raise ConfigError(f"{error.filename or named.places[0]}: cannot be read: {error.strerror or error}") from error


class _Ids:
    """Gives each image its id: the one that an earlier call gave it, or else the plainest that is free."""

    def __init__(self, ledger: Ledger, rules: NameRules, *, remembers: bool) -> None:
        """`remembers` where two images of this call may come with one id; `rules` are those of the output's names."""
        self._ledger, self._rules, self._remembers = ledger, rules, remembers
        self._taken = None if rules.are_exact else NamesOnDisk(map(rules.key, ledger.known_ids()))
        # ^ ids that the ledger knows and those given, as the output's file system takes them
        self._known = ledger.ids_by_place()
        self._given: dict[str, ImageSource] = {}
        # ^ ids that are not the images' own, or all

    def of(self, source: ImageSource) -> str:
        """The image's id."""
        recorded = self._ledger.source_of(source.image_id)
        if recorded is not None and _is_same(recorded, source):
            return source.image_id
        earlier = self._known.of(source)
        if earlier is not None and self._is_free(earlier, source):
            return earlier
        image_id = next(one for one in _ids(source) if self._is_free(one, source))
        if self._taken is not None:
            self._taken.add(self._rules.key(image_id))
        if self._remembers or image_id != source.image_id:
            self._given[image_id] = source
        return image_id

    def _is_free(self, image_id: str, source: ImageSource) -> bool:
        given = self._given.get(image_id)
        if given is not None and not _is_same(given, source):
            return False
        recorded = self._ledger.source_of(image_id)
        if recorded is not None:
            return _is_same(recorded, source)
        if self._taken is not None and self._rules.key(image_id) in self._taken:
            return False
        return image_id == source.image_id or not _is_of_another(image_id, source)

    def close(self) -> None:
        """Forget the ids."""
        if self._taken is not None:
            self._taken.close()


def _ids(source: ImageSource) -> Iterator[str]:
    """Names for an image, the plainest first; the last is nobody else's."""
    yield source.image_id
    parts = _place(source).split("/")
    for kept in range(source.image_id.count("/") + 2, len(parts)):
        yield "/".join(parts[-kept:])
    yield layout.marked(source.image_id, _place(source))


def _is_same(one: ImageSource, other: ImageSource) -> bool:
    return (_place(one), one.frame) == (_place(other), other.frame)


def _place(source: ImageSource) -> str:
    """Where the image is, in names: a member stays what it is when its archive is packed anew."""
    name = name_within(source)
    return f"{source.path}/{name}" if name else source.path


def _is_of_another(image_id: str, source: ImageSource) -> bool:
    """Whether a file of the same place has this id as its own: it may come later, and keeps it."""
    whole = _place(source)
    place = whole.removesuffix(source.image_id)
    return place != whole and os.path.lexists(f"{place}{image_id}")
