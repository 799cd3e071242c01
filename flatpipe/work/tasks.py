"""What a worker does: load, flatten, prepare, sweep. Each returns a small record; so are failures, never exceptions.

These are the functions that stand in a graph, and the boundary at which whatever a file does to us becomes its row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flatpipe.ledger.packs.rows import packed_row
from flatpipe.records import (
    FlattenResult,
    ImageRecord,
    ImageResult,
    ImageSource,
    LoadToken,
    PackedImage,
    PlannedImage,
    SettingsDigests,
    Twin,
)
from flatpipe.settings import TaskSettings
from flatpipe.work.copying import copied_image
from flatpipe.work.image_work import ImageWork
from flatpipe.work.loaded import OriginalResult
from flatpipe.work.outcome import failure_of
from flatpipe.work.outputs import ImageFiles
from flatpipe.work.packs.pieces import Piece
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


def whole_image(
    image: PlannedImage, kept: KeptFlats | Twin, settings: TaskSettings, outputs: ImageFiles | None = None
) -> ImageResult:
    """All tasks of one image, one after another; a new one comes to the output with all its files at once.

    Where all that is recorded of another image of the same bytes is given, its files are copied, if they are whole.
    Files go where `outputs` has them, or else into a folder of the image's own.
    """
    work = ImageWork.of(this_worker(), image.source, settings, holds=True)
    if outputs is not None:
        work = replace(work, outputs=outputs)
    if isinstance(kept, Twin):
        copied = copied_image(work, kept)
        if copied is not None:
            return copied
        work.outputs.begin_again()
        image, kept = replace(image, ks=tuple(flat.k for flat in kept.flats)), ()
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
    if images and images[0][2].settings.pieces:
        return tuple(_in_pieces(images))
    return tuple(recorded(whole_image(image, kept, asked.settings), asked.digests) for image, kept, asked in images)


def _in_pieces(images: Sequence[tuple[PlannedImage, KeptFlats | Twin, Asked]]) -> Iterator[ImageRecord]:
    """The same, all files of all images in one tar file; in several where they are large."""
    waiting, settings = list[tuple[ImageResult, Asked, PackedImage | None]](), images[0][2].settings
    piece = Piece(this_worker(), settings)
    for image, kept, asked in images:
        result = whole_image(image, kept, asked.settings, piece.begin(image.source.image_id, image.key))
        waiting.append((result, asked, piece.end(is_done=result.failure is None)))
        if piece.is_full:
            yield from _put(piece, waiting)
            waiting, piece = [], Piece(this_worker(), settings)
    yield from _put(piece, waiting)


def _put(piece: Piece, waiting: Sequence[tuple[ImageResult, Asked, PackedImage | None]]) -> Iterator[ImageRecord]:
    """What is recorded of images when their piece has been put in place, or could not be."""
    failure, file = None, None
    try:
        file = piece.put_in_place()
    except Exception as error:  # noqa: BLE001 - the task boundary
        failure = failure_of("flatten", error)
    for result, asked, packed in waiting:
        if packed is not None and failure is None:
            whole = recorded(result, asked.digests)
            yield replace(whole, packed_row=packed_row(packed), pack_row=file)
        else:
            bare = ImageResult(result.source, result.token, (), None, result.failure or failure)
            # ^ of an image in a tar file there is all or nothing
            yield recorded(bare, asked.digests)
