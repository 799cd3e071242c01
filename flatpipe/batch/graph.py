"""A planned image as a small Dask graph: load -> flatten(k)... -> sweep. Builds graphs, runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from dask.delayed import Delayed, delayed

from flatpipe.batch import tasks
from flatpipe.records import FlattenResult, PlannedImage, TaskSettings

_load = delayed(tasks.load, pure=False)
_flatten = delayed(tasks.flatten, pure=False)
_sweep = delayed(tasks.sweep, pure=False)


def image_graph(run_id: str, image: PlannedImage, kept: Sequence[FlattenResult], settings: TaskSettings) -> Delayed:
    """The root of one image's graph; computing it yields an ImageResult.

    Keys are tuples: the scheduler groups them by their first word, and names built from an image would make it
    keep one group per image for ever. The run's id keeps two runs on one shared scheduler apart.
    """
    source = image.source
    name = (run_id, source.image_id.encode("utf-8", "backslashreplace").decode())
    # ^ the scheduler's messages are UTF-8; a file name need not be
    token = _load(source, settings, dask_key_name=("load", *name))
    fresh = [_flatten(token, source, k, settings, dask_key_name=("flatten", *name, k)) for k in image.ks]
    return _sweep(token, source, fresh, tuple(kept), settings, dask_key_name=("sweep", *name))
