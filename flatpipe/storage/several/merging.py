"""Streams of images as one, in the byte order of ids; a stream is opened when its turn comes, and no sooner."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from flatpipe.records import ImageSource, RefusedFile

Item = ImageSource | RefusedFile


@dataclass(frozen=True, slots=True)
class Stream:
    """Images in the order of their ids, none of which comes before `first`."""

    first: bytes
    open: Callable[[], Iterator[Item]]


def source_of_item(item: Item) -> ImageSource:
    """The image, whether it will be opened or not."""
    return item.source if isinstance(item, RefusedFile) else item


def order_of(image_id: str) -> bytes:
    """What ids are ordered by."""
    return os.fsencode(image_id)


def in_order(streams: Iterable[Stream]) -> Iterator[Item]:
    """The images of all streams, which come ordered by their `first`; of one id the earlier stream's first.

    Ten thousand archives, each below a name of its own, are opened one after the other: only streams whose ids lie
    among each other's are open together.
    """
    waiting, number = iter(streams), 0
    opened: list[tuple[bytes, int, Item, Iterator[Item]]] = []
    coming = next(waiting, None)
    while opened or coming is not None:
        while coming is not None and (not opened or coming.first <= opened[0][0]):
            images = coming.open()
            if (item := next(images, None)) is not None:
                heapq.heappush(opened, (order_of(source_of_item(item).image_id), number, item, images))
            coming, number = next(waiting, None), number + 1
        if opened:
            _, place, item, images = heapq.heappop(opened)
            yield item
            if (after := next(images, None)) is not None:
                heapq.heappush(opened, (order_of(source_of_item(after).image_id), place, after, images))
