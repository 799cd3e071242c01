"""What a worker does: load, flatten, prepare, sweep. Each returns a small record; so are failures, never exceptions.

These are the functions that stand in a graph, and the boundary at which whatever a file does to us becomes its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flatpipe.records import (
    FlattenResult,
    ImageRecord,
    ImageResult,
    ImageSource,
    LoadToken,
    PlannedImage,
    SettingsDigests,
    Twin,
)
from flatpipe.settings import TaskSettings
from flatpipe.work.copying import copied_image
from flatpipe.work.image_work import ImageWork
from flatpipe.work.loaded import OriginalResult
from flatpipe.work.outcome import failure_of
from flatpipe.work.recorded import recorded
from flatpipe.work.worker import this_worker


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the images of a group."""

    settings: TaskSettings
    digests: SettingsDigests


KeptFlats = Sequence[FlattenResult]
# ^ flats of an image that are still valid, so that its sweep has every k


def load(source: ImageSource, settings: TaskSettings) -> LoadToken:
    """Decode one image into this process's cache; the token says what was found, and anchors the image's tasks here."""
    return _load(ImageWork.of(this_worker(), source, settings))


def flatten(token: LoadToken, source: ImageSource, k: int, settings: TaskSettings) -> FlattenResult:
    """Load, cluster, recolour and save one (image, k)."""
    return _flatten(ImageWork.of(this_worker(), source, settings), token, k)


def prepare(token: LoadToken, source: ImageSource, settings: TaskSettings) -> OriginalResult:
    """Make what an image's sweep needs of the original alone, while others flatten it; the sweep finds it made."""
    if token.failure is not None:
        return OriginalResult(source.image_id, failure=token.failure)
    try:
        return ImageWork.of(this_worker(), source, settings).prepare(token)
    except Exception as error:  # noqa: BLE001 - the task boundary
        return OriginalResult(source.image_id, failure=failure_of("sweep", error))


def sweep(
    token: LoadToken,
    fresh: Sequence[FlattenResult],
    source: ImageSource,
    kept: KeptFlats,
    settings: TaskSettings,
    original: OriginalResult | None = None,
) -> ImageResult:
    """Assemble the files of an image that need all its k; the whole outcome of the image, with what failed.

    `original` is what became of `prepare`, where that was a task of its own.
    """
    work = ImageWork.of(this_worker(), source, settings)
    return _sweep(work, token, fresh, kept, original or OriginalResult(source.image_id))


def whole_image(image: PlannedImage, kept: KeptFlats | Twin, settings: TaskSettings) -> ImageResult:
    """All tasks of one image, one after another; a new one comes to the output with all its files at once.

    Where all that is recorded of another image of the same bytes is given, its files are copied, if they are whole.
    """
    if isinstance(kept, Twin):
        copied = copied_image(ImageWork.of(this_worker(), image.source, settings, holds=True), kept)
        if copied is not None:
            return copied
        image, kept = replace(image, ks=tuple(flat.k for flat in kept.flats)), ()
    work = ImageWork.of(this_worker(), image.source, settings, holds=True)
    token = _load(work)
    fresh = [_flatten(work, token, k) for k in image.ks]
    result = _sweep(work, token, fresh, kept, OriginalResult(image.source.image_id))
    try:
        work.outputs.put_in_place()
    except Exception as error:  # noqa: BLE001 - the task boundary
        return ImageResult(image.source, token, (), None, failure_of("flatten", error))
        # ^ of what is recorded as done every file must be there
    return result


def _load(work: ImageWork) -> LoadToken:
    try:
        return work.load()
    except Exception as error:  # noqa: BLE001 - the task boundary
        return LoadToken(work.source.image_id, failure=failure_of("load", error))


def _flatten(work: ImageWork, token: LoadToken, k: int) -> FlattenResult:
    if token.failure is not None:
        return FlattenResult(work.source.image_id, k, failure=token.failure)
    try:
        return work.flatten(token, k)
    except Exception as error:  # noqa: BLE001 - the task boundary
        return FlattenResult(work.source.image_id, k, failure=failure_of("flatten", error))


def _sweep(
    work: ImageWork, token: LoadToken, fresh: Sequence[FlattenResult], kept: KeptFlats, original: OriginalResult
) -> ImageResult:
    failures = [failure for failure in (token.failure, *(flat.failure for flat in fresh), original.failure) if failure]
    try:
        if failures:
            return ImageResult(work.source, token, tuple(fresh), None, failures[0])
        swept = work.sweep(token, (*fresh, *kept))
        moved = {flat.k: flat for flat in swept.moved}
        made = tuple(moved.pop(flat.k, flat) for flat in fresh)
        swept = replace(swept, seconds=swept.seconds + original.seconds, moved=tuple(moved.values()))
        # ^ what is left moved are flats that were kept
        return ImageResult(work.source, token, made, swept, None)
    except Exception as error:  # noqa: BLE001 - the task boundary
        return ImageResult(work.source, token, tuple(fresh), None, failure_of("sweep", error))
    finally:
        work.forget()


def finish_image(
    token: LoadToken,
    fresh: Sequence[FlattenResult],
    original: OriginalResult,
    source: ImageSource,
    kept: KeptFlats,
    asked: Asked,
) -> tuple[ImageRecord, ...]:
    """The root of an image whose k are tasks of their own: its sweep, and what the driver keeps of the image."""
    return (recorded(sweep(token, fresh, source, kept, asked.settings, original), asked.digests),)


def finish_images(images: Sequence[tuple[PlannedImage, KeptFlats | Twin, Asked]]) -> tuple[ImageRecord, ...]:
    """Whole images, one after another in one task: where a task for each k would cost more than it brings."""
    return tuple(recorded(whole_image(image, kept, asked.settings), asked.digests) for image, kept, asked in images)
