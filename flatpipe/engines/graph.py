"""A bundle as a small Dask graph: load -> flatten(k)..., original -> sweep, or all of it in one task.

Builds, runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from dask.delayed import Delayed, delayed

from flatpipe.engines.bundle import Bundle
from flatpipe.records import FlattenResult, PlannedImage, SettingsDigests, Twin
from flatpipe.settings import GivenPalette, TaskSettings
from flatpipe.work import tasks
from flatpipe.work.tasks import Asked

KeptOf = Callable[[PlannedImage], tuple[FlattenResult, ...] | Twin]
# ^ an image's flats that are still valid, or what is recorded of one of the same bytes
GivenTo = Callable[[str | None], tuple[GivenPalette, ...]]
# ^ the palettes that images of a group share
_GROUPS_KEPT = 16
# ^ groups whose settings are at hand: their images come one after another


class GraphBuilder:
    """Builds the graphs of one run: what is the same in all of them is bound here."""

    def __init__(
        self, settings: TaskSettings, digests: SettingsDigests, kept: KeptOf, given: GivenTo | None = None
    ) -> None:
        self._settings, self._digests, self._kept, self._given = settings, digests, kept, given
        self._asked = lru_cache(_GROUPS_KEPT)(self._asked_of_group)

    def build(self, bundle: Bundle, attempt: int) -> Delayed:
        """The root of a bundle's graph; computing it gives a tuple of ImageRecords.

        Keys are tuples: the scheduler groups them by their first word, and names built from an image would make it
        keep one group per image for ever. The run's id keeps two runs on one shared scheduler apart, the attempt
        keeps a second try from being taken for the first.
        """
        name = (f"{self._settings.run}.{attempt}", in_utf8(bundle.images[0].source.image_id))
        if not bundle.one_task and not bundle.images[0].same_as:
            return self._image_graph(bundle.images[0], name)
        images = tuple((image, self._kept(image), self._asked(image.group)) for image in bundle.images)
        return task(tasks.finish_images, images=images)(dask_key_name=("images", *name))

    def _image_graph(self, image: PlannedImage, name: tuple[str, str]) -> Delayed:
        source, asked = image.source, self._asked(image.group)
        settings = asked.settings
        token = task(tasks.load, source=source, settings=settings)(dask_key_name=("load", *name))
        fresh = [
            task(tasks.flatten, source=source, k=k, settings=settings)(token, dask_key_name=("flatten", *name, k))
            for k in image.ks
        ]
        original = task(tasks.prepare, source=source, settings=settings)(token, dask_key_name=("original", *name))
        fixed = {"source": source, "kept": self._kept(image), "asked": asked}
        return task(tasks.finish_image, **fixed)(token, fresh, original, dask_key_name=("sweep", *name))

    def _asked_of_group(self, group: str | None) -> Asked:
        given = () if self._given is None else self._given(group)
        return Asked(replace(self._settings, given=given), replace(self._digests, given=given))


def in_utf8(name: str) -> str:
    """A name as the scheduler's messages, which are UTF-8, can carry it; a file name need not be. No two become one."""
    return name.replace("\\", "\\\\").encode("utf-8", "backslashreplace").decode()


def task(function: Callable[..., object], **fixed: object) -> Any:
    """A delayed call of `function` with fixed arguments.

    They are bound rather than passed, because Dask would take each record apart in search of other tasks: that made
    building an image's graph six times slower.
    """
    return delayed(partial(function, **fixed), name=function.__name__, pure=False, traverse=False)
