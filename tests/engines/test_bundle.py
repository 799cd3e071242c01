"""Tasks of a fitting size: by what images take, by how many are left, and by how many workers there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from flatpipe.engines.bundle import TASK_SECONDS, Bundle, Bundler
from flatpipe.records import ImageSource, PlannedImage
from flatpipe.vocabulary import Granularity, TaskShape

KS = tuple(range(2, 16))
PHOTOGRAPH, THUMBNAIL = 700_000, 30_000
shapes = st.sampled_from(("auto", *get_args(TaskShape)))
Seconds = Callable[[PlannedImage], float]


def images(*sizes: int) -> list[PlannedImage]:
    """Images with files of so many bytes, every k due."""
    return [PlannedImage(ImageSource(str(n), "", size, ""), KS, sweep=True, reason="") for n, size in enumerate(sizes)]


def cut(work: list[PlannedImage], workers: int, seconds: Seconds, granularity: Granularity = "auto") -> list[Bundle]:
    """The bundles of a run whose images take so long; each result is known before the next bundle is made."""
    bundler, made = Bundler(work, len(work), granularity, 0.003), []
    while (bundle := bundler.next(workers)) is not None:
        made.append(bundle)
        for image in bundle.images:
            bundler.costs.learn(image, seconds(image))
    return made


def test_a_photograph_alone_is_shared_by_all_workers() -> None:
    """With fewer images than workers each k is a task of its own; thumbnails are not worth it."""
    assert [bundle.one_task for bundle in cut(images(PHOTOGRAPH), 16, lambda image: 0.1)] == [False]
    assert [bundle.one_task for bundle in cut(images(*[PHOTOGRAPH] * 3), 16, lambda image: 0.1)] == [False] * 3
    assert [bundle.one_task for bundle in cut(images(THUMBNAIL), 16, lambda image: 0.01)] == [True]


def test_with_images_enough_a_task_holds_whole_images() -> None:
    """Only the last images of many, when some workers would have none, are cut by k."""
    made = cut(images(*[PHOTOGRAPH] * 64), 16, lambda image: 2.0)

    assert [bundle.one_task for bundle in made] == [True] * 49 + [False] * 15


def test_tasks_take_about_a_second_and_less_towards_both_ends() -> None:
    """Of many thumbnails, no task takes much over a second, most take half of one, the first and the last far less."""
    made = cut(images(*[THUMBNAIL] * 20_000), 4, lambda image: 0.02)
    seconds = [0.02 * len(bundle.images) for bundle in made]

    assert max(seconds) <= TASK_SECONDS + 0.03
    assert sorted(seconds)[len(seconds) // 2] > TASK_SECONDS / 2
    assert seconds[0] < TASK_SECONDS / 4
    assert seconds[-1] < TASK_SECONDS / 4


def test_an_image_that_takes_long_goes_alone() -> None:
    """A photograph among thumbnails is not put into their task, whatever was learned from them."""
    made = cut(images(*[THUMBNAIL] * 300, 50_000_000, *[THUMBNAIL] * 300), 2, lambda image: image.source.size * 1e-6)

    assert max(len(bundle.images) for bundle in made if any(one.source.size > 10**7 for one in bundle.images)) == 1


@given(
    st.lists(st.integers(1, 10**8), max_size=60),
    st.integers(1, 40),
    st.sampled_from(["auto", "pair", "image", "batch"]),
)
def test_every_image_comes_once_and_in_order(sizes: list[int], workers: int, granularity: Granularity) -> None:
    """Whatever the sizes, the workers and the shape of tasks: none is lost, none comes twice."""
    work = images(*sizes)
    made = cut(work, workers, lambda image: image.source.size * 1e-7, granularity)

    assert [image for bundle in made for image in bundle.images] == work
    assert all(len(bundle.images) == 1 for bundle in made if not bundle.one_task)


def test_a_wrong_count_of_what_is_due_loses_nothing() -> None:
    """The number of images is a forecast: with more than were announced, all come out."""
    bundler = Bundler(images(*[THUMBNAIL] * 50), 10, "auto", 0.003)
    made = []
    while (bundle := bundler.next(2)) is not None:
        made.append(bundle)

    assert sum(len(bundle.images) for bundle in made) == 50
