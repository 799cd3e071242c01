"""Images that are named one by one, call after call, into one output: no two of them under one id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from flatpipe import layout
from flatpipe.ledger.ledger import Ledger
from flatpipe.records import ImageSource


def told_apart(sources: Sequence[ImageSource], ledger: Ledger) -> list[ImageSource]:
    """The sources; one whose id is that of another file, named by an earlier call, gets the folders before its name."""
    taken = {source.image_id: source.path for source in sources}
    apart = []
    for source in sources:
        image_id = next(one for one in _ids(source) if _is_free(one, source.path, taken, ledger))
        taken[image_id] = source.path
        apart.append(replace(source, image_id=image_id))
    return apart


def _ids(source: ImageSource) -> Iterator[str]:
    """Names for an image, the plainest first; the last is nobody else's."""
    yield source.image_id
    parts = source.path.split("/")
    for kept in range(source.image_id.count("/") + 2, len(parts)):
        yield "/".join(parts[-kept:])
    yield layout.marked(source.image_id, source.path)


def _is_free(image_id: str, path: str, taken: dict[str, str], ledger: Ledger) -> bool:
    if taken.get(image_id, path) != path:
        return False
    known = ledger.source_of(image_id)
    return known is None or known.path == path
