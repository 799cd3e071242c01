"""How much work one Dask task is: a k of an image, a whole image, or a handful of small ones.

The (image, k) work inside is the same in every shape: the same records, the same bytes, the same failure rows. What
differs is how soon workers get on with something else, and how often the driver is asked: a task costs it and the
scheduler 0.3 to 3 ms, whatever it does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flatpipe.plan.cost import CostModel
from flatpipe.records import PlannedImage
from flatpipe.vocabulary import Granularity

TASK_SECONDS = 1.0
# ^ what a task should take: the driver's share of it is then a thousandth, and a stop is obeyed soon
_FIRST_SECONDS = 0.1
# ^ the same before anything is known: the first results come soon, and tell how long the others take
_SHARE = 3
# ^ tasks for each worker into which what is left is cut: near the end tasks become small, and no worker is left behind
_MOST_IMAGES = 64
_BATCH_IMAGES = 16
# ^ images a task with granularity: batch


@dataclass(frozen=True, slots=True)
class Bundle:
    """Images that are submitted together: one with a task per k, or some in one task."""

    images: tuple[PlannedImage, ...]
    one_task: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The images' ids."""
        return tuple(image.source.image_id for image in self.images)


class Bundler:
    """Cuts the work into tasks of a fitting size, in order, as it is asked for."""

    def __init__(
        self,
        work: Iterable[PlannedImage],
        due: int,
        granularity: Granularity,
        pair_seconds: float,
        *,
        are_whole: bool = False,
    ) -> None:
        """`pair_seconds` is what a task costs the engine; images that `are_whole` are never cut into pairs."""
        self._work, self._left, self._are_whole = iter(work), due, are_whole
        self._granularity: Granularity = "image" if are_whole and granularity == "pair" else granularity
        # ^ images that have not been handed out
        self._waiting: PlannedImage | None = None
        # ^ was taken from the work, and found too large to go with the others
        self._pair_seconds = pair_seconds
        self.costs = CostModel()

    def next(self, workers: int) -> Bundle | None:
        """The next bundle for so many workers in all; None when nothing is left."""
        first = self._take()
        if first is None:
            return None
        if self._granularity != "auto":
            size = _BATCH_IMAGES if self._granularity == "batch" else 1
            return Bundle((first, *self._more(size)), one_task=self._granularity != "pair")
        if self._left + 1 < workers and self._is_worth_pairs(first):
            return Bundle((first,), one_task=False)
        return Bundle((first, *self._fitting(first, workers)), one_task=True)

    def _take(self) -> PlannedImage | None:
        image, self._waiting = self._waiting or next(self._work, None), None
        self._left = max(0, self._left - 1) if image is not None else 0
        return image

    def _more(self, size: int) -> Iterable[PlannedImage]:
        for _ in range(size - 1):
            image = self._take()
            if image is None:
                return
            yield image

    def _fitting(self, first: PlannedImage, workers: int) -> Iterable[PlannedImage]:
        """Further images, until the task is as long as it should be."""
        seconds = self.costs.seconds(first)
        wanted = self._wanted_seconds(seconds, workers)
        for _ in range(_MOST_IMAGES - 1):
            if seconds >= wanted:
                return
            image = self._take()
            if image is None:
                return
            cost = self.costs.seconds(image)
            if cost > wanted:
                self._waiting, self._left = image, self._left + 1
                return
            seconds += cost
            yield image

    def _wanted_seconds(self, seconds: float, workers: int) -> float:
        if not self.costs.has_learned:
            return _FIRST_SECONDS
        return min(TASK_SECONDS, seconds * self._left / (_SHARE * workers))
        # ^ what is left is taken to be like the image at hand

    def _is_worth_pairs(self, image: PlannedImage) -> bool:
        """Whether the image takes long enough to pay for a task per k."""
        if self._are_whole or len(image.ks) <= 1:
            return False
        return self.costs.seconds(image) > 2 * self._pair_seconds * (len(image.ks) + 2)
