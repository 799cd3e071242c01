"""The plan of a whole input: every image, planned, selected and counted, as a stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from flatpipe import layout
from flatpipe.config import IMAGE_PATTERNS, Config
from flatpipe.errors import ConfigError
from flatpipe.plan.cost import expected_seconds
from flatpipe.plan.inputs.places import input_words
from flatpipe.plan.inputs.sources import Sources
from flatpipe.plan.parts.dealing import Dealing
from flatpipe.plan.planner import Planner
from flatpipe.plan.request import Request, selector
from flatpipe.records import ImageSource, PlannedImage, RefusedFile
from flatpipe.storage.litter import PassedOver, skipped_words
from flatpipe.summaries import PlanSummary
from flatpipe.vocabulary import NOT_SELECTED, Flats

REFUSED = "refused"
# ^ reason of an image that will not be opened: it looks like one, and its format is not read
MOST_SUFFIXES = 8
# ^ kinds of other files that a summary names


@dataclass(slots=True)
class PlanCounts:
    """Counts as the plan streams by."""

    images: int = 0
    current: int = 0
    refused: int = 0
    due: int = 0
    pairs: int = 0
    sweeps: int = 0
    marked: int = 0
    seconds: float = 0.0
    # ^ that the work is going to keep one worker busy, by the sizes of files
    reasons: Counter[str] = field(default_factory=Counter)
    passed_over: PassedOver = field(default_factory=PassedOver)
    flats: Flats = "all"
    dealing: Dealing | None = None
    # ^ of a run that does a part of the input

    @property
    def listed(self) -> int:
        """Images of the whole input."""
        return self.images if self.dealing is None else self.dealing.listed

    def summary(self) -> PlanSummary:
        """The counts, frozen."""
        counts = (self.images, self.current, self.refused, self.due, self.pairs, self.sweeps)
        reasons, passed_over = tuple(self.reasons.most_common()), tuple(sorted(self.passed_over.counts.items()))
        suffixes = tuple(suffix for suffix, _ in self.passed_over.suffixes.most_common(MOST_SUFFIXES))
        part = "" if self.dealing is None else str(self.dealing.part)
        return PlanSummary(*counts, reasons, passed_over, suffixes, self.marked, part, self.listed, self.flats)


def plan_images(
    planner: Planner, config: Config, request: Request, counts: PlanCounts, sources: Sources
) -> Iterator[PlannedImage | RefusedFile]:
    """Every image of `sources` with what is to be done, as a stream; raises ConfigError when there is no image.

    What was passed over among the sources is in the counts already, or comes there with them.
    """
    counts.flats, is_wanted = config.output.flats, selector(request, planner.ledger)
    refused: list[RefusedFile] = []
    for image in planner.plan(_without_refused(sources, refused)):
        yield from _drain(refused, counts)
        planned = image if image.is_current or is_wanted(image.source) else _set_aside(image)
        _count(planned, counts)
        yield planned
    yield from _drain(refused, counts)
    if counts.listed == 0:
        raise ConfigError(_nothing_found(config, counts.passed_over))


def _nothing_found(config: Config, passed_over: PassedOver) -> str:
    """That there is no image, and what there is."""
    include = config.input.include
    asked = "" if include == IMAGE_PATTERNS else f" that input.include asks for ({', '.join(include)})"
    skipped = skipped_words(passed_over.counts.items(), passed_over.suffixes)
    return f"no image{asked} in {input_words(config)}{f' ({skipped})' * bool(skipped)}"


def _without_refused(found: Sources, refused: list[RefusedFile]) -> Iterator[ImageSource]:
    for item in found:
        if isinstance(item, RefusedFile):
            refused.append(item)
        else:
            yield item


def _drain(refused: list[RefusedFile], counts: PlanCounts) -> Iterator[RefusedFile]:
    counts.images += len(refused)
    counts.refused += len(refused)
    yield from refused
    refused.clear()


def _set_aside(image: PlannedImage) -> PlannedImage:
    return PlannedImage(image.source, (), sweep=False, reason=NOT_SELECTED, group=image.group)


def _is_marked_for_names(source: ImageSource) -> bool:
    """Whether an id has a mark because a file system takes its name for another's; other marks are those of places."""
    is_marked = source.image_id != layout.unmarked(source.image_id)
    return is_marked and not layout.is_marked_by(source.image_id, f"{source.path}{source.part}")


def _count(image: PlannedImage, counts: PlanCounts) -> None:
    counts.images += 1
    counts.pairs += len(image.ks)
    counts.sweeps += image.sweep
    counts.marked += _is_marked_for_names(image.source)
    counts.seconds += expected_seconds(image)
    counts.current += image.is_current and not image.reason
    counts.due += not image.is_current
    if image.reason:
        counts.reasons[image.reason] += 1
