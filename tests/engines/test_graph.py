"""The shape of a bundle's graph."""

from __future__ import annotations

import pickle
from typing import Any

from flatpipe.engines.bundle import Bundle
from flatpipe.engines.graph import GraphBuilder
from flatpipe.records import ImageSource, PlannedImage, SettingsDigests
from flatpipe.settings import TaskSettings

IMAGE = PlannedImage(ImageSource("trips/a\udcff.jpg", "/a.jpg", 1, ""), (2, 3, 4), sweep=True, reason="new")


def graph_of(*images: PlannedImage, one_task: bool, attempt: int = 0) -> dict[tuple[Any, ...], set[tuple[Any, ...]]]:
    """What each task of a bundle waits for, by key."""
    builder = GraphBuilder(TaskSettings("/out", run="run"), SettingsDigests(((2, ""), (3, "")), ""), lambda _: ())
    graph = dict(builder.build(Bundle(images, one_task), attempt).dask)
    assert max(len(pickle.dumps(task)) for task in graph.values()) < 3000
    return {key: set(task.dependencies) for key, task in graph.items()}


def test_an_image_is_loaded_then_flattened_beside_its_original_then_swept() -> None:
    """Keys are tuples that begin with the stage; flattens and original hang on load alone, the sweep on all of them."""
    name = ("run.0", r"trips/a\udcff.jpg")
    load, original, flats = ("load", *name), ("original", *name), {("flatten", *name, k) for k in IMAGE.ks}

    assert graph_of(IMAGE, one_task=False) == {
        load: set(),
        original: {load},
        **{flat: {load} for flat in flats},
        ("sweep", *name): {load, original, *flats},
    }


def test_whole_images_are_one_task() -> None:
    """However many images a bundle holds, its graph has one task, named after the first."""
    assert graph_of(IMAGE, IMAGE, one_task=True) == {("images", "run.0", r"trips/a\udcff.jpg"): set()}


def test_a_second_try_has_keys_of_its_own() -> None:
    """The scheduler takes no task of another attempt for one of this."""
    for one_task in (True, False):
        assert not graph_of(IMAGE, one_task=one_task).keys() & graph_of(IMAGE, one_task=one_task, attempt=1).keys()


def test_no_two_images_have_one_key() -> None:
    """A byte that is not UTF-8, and the text that such a byte is written as, are two names."""
    sources = [ImageSource(name, "/a.jpg", 1, "") for name in ("\udcff.jpg", r"\udcff.jpg", r"\\udcff.jpg")]
    images = [PlannedImage(source, (2,), sweep=True, reason="new") for source in sources]
    keys = [key for image in images for key in graph_of(image, one_task=True)]

    assert len(set(keys)) == 3
