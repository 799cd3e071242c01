"""Images whose names the output's file system takes for one: the first keeps its name, each other one gets a mark."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from flatpipe import layout
from flatpipe.ledger.names import NamesOnDisk
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.name_rules import EXACT, NameRules
from flatpipe.storage.roots import open_root


def rules_of(output: str) -> NameRules:
    """The rules of an output's names; those of a place where nothing can be written are of no account."""
    with contextlib.suppress(OSError):
        return open_root(output).name_rules()
    return EXACT


def told_apart(sources: Iterable[ImageSource | RefusedFile]) -> Iterator[ImageSource | RefusedFile]:
    """The sources, which come in the order of their ids; of one id the first keeps it, each other one gets a mark."""
    last = ""
    for item in sources:
        source = item.source if isinstance(item, RefusedFile) else item
        if source.image_id != last:
            last = source.image_id
            yield item
            continue
        other = replace(source, image_id=layout.marked(last, f"{source.path}{source.part}"))
        yield replace(item, source=other) if isinstance(item, RefusedFile) else other


def told_apart_by(
    rules: NameRules, sources: Iterable[ImageSource | RefusedFile]
) -> Iterator[ImageSource | RefusedFile]:
    """The sources, with ids that the rules tell apart; they come in the order of their names, so always the same first.

    What will not be opened keeps its name, and keeps it from others: it may be opened another time.
    """
    if rules.are_exact:
        yield from sources
        return
    with contextlib.closing(NamesOnDisk()) as taken:
        for source in sources:
            if isinstance(source, RefusedFile):
                taken.add(rules.key(source.source.image_id))
                yield source
            else:
                yield _free(source, rules, taken)


def _free(source: ImageSource, rules: NameRules, taken: NamesOnDisk) -> ImageSource:
    image_id = source.image_id
    while not taken.add(rules.key(image_id)):
        image_id = layout.marked(source.image_id, image_id)
    return source if image_id == source.image_id else replace(source, image_id=image_id)
