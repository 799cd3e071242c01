"""A planned image as a small Dask graph: load -> flatten(k)... -> sweep. Builds graphs, runs nothing.

Small images go through the same three steps inside one task.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dask.delayed import Delayed, delayed

from flatpipe.engines.bundle import Bundle
from flatpipe.records import FlattenResult, PlannedImage, TaskSettings
from flatpipe.work import tasks

KeptFlats = tuple[FlattenResult, ...]


def bundle_graph(
    bundle: Bundle, attempt: int, kept: Callable[[PlannedImage], KeptFlats], settings: TaskSettings
) -> Delayed:
    """The root of a bundle's graph: an ImageResult, or a tuple of them when the bundle is one task.

    `kept` gives an image's flats that are still valid.
    """
    if not bundle.one_task:
        (image,) = bundle.images
        return image_graph(image, attempt, kept(image), settings)
    name = (f"{settings.run}.{attempt}", bundle.images[0].source.image_id.encode("utf-8", "backslashreplace").decode())
    images = tuple((image, kept(image)) for image in bundle.images)
    return _task(tasks.flatten_images, images=images, settings=settings)(dask_key_name=("images", *name))


def image_graph(image: PlannedImage, attempt: int, kept: KeptFlats, settings: TaskSettings) -> Delayed:
    """The root of one image's graph; computing it yields an ImageResult.

    Keys are tuples: the scheduler groups them by their first word, and names built from an image would make it
    keep one group per image for ever. The run's id keeps two runs on one shared scheduler apart, the attempt
    keeps a second try from being taken for the first.
    """
    source = image.source
    name = (f"{settings.run}.{attempt}", source.image_id.encode("utf-8", "backslashreplace").decode())
    # ^ the scheduler's messages are UTF-8; a file name need not be
    token = _task(tasks.load, source=source, settings=settings)(dask_key_name=("load", *name))
    fresh = [
        _task(tasks.flatten, source=source, k=k, settings=settings)(token, dask_key_name=("flatten", *name, k))
        for k in image.ks
    ]
    sweep = _task(tasks.sweep, source=source, kept=kept, settings=settings)
    return sweep(token, fresh, dask_key_name=("sweep", *name))


def _task(function: Callable[..., object], **fixed: object) -> Any:
    """A delayed call of `function` with fixed arguments.

    They are bound rather than passed, because Dask would take each record apart in search of other tasks: that made
    building an image's graph six times slower.
    """
    return delayed(partial(function, **fixed), name=function.__name__, pure=False, traverse=False)
