"""What a worker does: load, flatten, sweep. Each returns a small record; failures are records too, never exceptions."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from flatpipe import layout
from flatpipe.encode.animation import encode_animation
from flatpipe.encode.frames import shrink_flat
from flatpipe.encode.png import decode_flat, encode_png
from flatpipe.errors import ImageError, ImageIOFailed, ImageTooLarge
from flatpipe.quantize.flatten import flatten_indexed
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import (
    INTERRUPTED,
    Failure,
    FlattenResult,
    ImageResult,
    ImageSource,
    LoadToken,
    PlannedImage,
    SweepResult,
    TaskSettings,
)
from flatpipe.storage.roots import Root, open_root
from flatpipe.vocabulary import Stage
from flatpipe.work.cache import ByteBoundedCache
from flatpipe.work.endurance import ended_after, persistently
from flatpipe.work.loaded import LoadedImage, load_image, preview_side
from flatpipe.work.outcome import flatten_result
from flatpipe.work.sweep import (
    Frames,
    best_flat,
    encode_palette_files,
    encode_palettes,
    encode_pictures,
)

_images: ByteBoundedCache[LoadedImage] = ByteBoundedCache(1 << 30)
# ^ a memo of reads, the same for all tasks of a process; configure_worker sets its capacity
_decode_limit: list[int] = []
# ^ bytes that this process may take to decode one image; empty: no limit beyond limits.max_pixels
_stopped_runs: set[str] = set()
# ^ runs whose user asked to stop: what this process has not begun for them is not begun

_LARGEST_KEPT = 3 * 2_000_000
# ^ bytes of a preview: 2 megapixels

_INTERRUPTED = Failure("worker", INTERRUPTED, "the run was stopped before this was done")


def configure_worker(cache_bytes: int, decode_bytes: int | None = None) -> None:
    """Set how many bytes of decoded images this process may hold, and how many it may take to decode one."""
    _images.capacity = cache_bytes
    _decode_limit[:] = [] if decode_bytes is None else [decode_bytes]


def forget_images() -> None:
    """Let go of all decoded images of this process."""
    _images.clear()


def stop_tasks(run: str) -> None:
    """Tell this process to begin no further work of a run."""
    _stopped_runs.add(run)


def load(source: ImageSource, settings: TaskSettings) -> LoadToken:
    """Decode one image into this process's cache; the token says what was found, and anchors the image's tasks here."""
    try:
        _check_stopped(settings)
        return _loaded(source, settings).token
    except Exception as error:  # noqa: BLE001 - the task boundary: whatever a file does to us becomes its row
        return LoadToken(source.image_id, failure=_failure("load", error))


def flatten(token: LoadToken, source: ImageSource, k: int, settings: TaskSettings) -> FlattenResult:
    """Load, cluster, recolour and save one (image, k)."""
    if token.failure is not None:
        return FlattenResult(source.image_id, k, failure=token.failure)
    began = time.perf_counter()
    try:
        _check_stopped(settings)
        image = _loaded(source, settings)
        _check_same(image, token)
        flat = flatten_indexed(image.indexed, k, settings.flatten)
        content = encode_png(flat, image.alpha)
        _write(settings, _output(source, layout.flat_name(k, settings.name_width)), content)
        _keep_frame(image, k, flat, settings)
        return flatten_result(image, k, flat, content, settings, began)
    except Exception as error:  # noqa: BLE001 - the task boundary
        return FlattenResult(source.image_id, k, failure=_failure("flatten", error))


def sweep(
    token: LoadToken,
    fresh: Sequence[FlattenResult],
    source: ImageSource,
    kept: Sequence[FlattenResult],
    settings: TaskSettings,
) -> ImageResult:
    """Assemble the files of an image that need all its k; the whole outcome of the image, with what failed."""
    failures = [failure for failure in (token.failure, *(flat.failure for flat in fresh)) if failure is not None]
    if failures:
        _images.drop(_cache_key(source, settings))
        return ImageResult(source, token, tuple(fresh), None, failures[0])
    began = time.perf_counter()
    try:
        _check_stopped(settings)
        flats = sorted((*fresh, *kept), key=lambda flat: flat.k)
        result = _write_sweep(token, source, flats, settings, began)
    except Exception as error:  # noqa: BLE001 - the task boundary
        return ImageResult(source, token, tuple(fresh), None, _failure("sweep", error))
    finally:
        _images.drop(_cache_key(source, settings))
    return ImageResult(source, token, tuple(fresh), result, None)


def flatten_images(
    images: Sequence[tuple[PlannedImage, tuple[FlattenResult, ...]]], settings: TaskSettings
) -> tuple[ImageResult, ...]:
    """All tasks of some images, one after another, in one call: for images too small to be worth a task per k."""
    results = []
    for image, kept in images:
        token = load(image.source, settings)
        fresh = [flatten(token, image.source, k, settings) for k in image.ks]
        results.append(sweep(token, fresh, image.source, kept, settings))
    return tuple(results)


# --- the parts of a task ---------------------------------------------------------------------------------------------


class _OutputFailed(ImageIOFailed):
    """An output could not be written: the next image would fare alike."""


class _Interrupted(ImageError):
    """The user asked to stop."""


def _cache_key(source: ImageSource, settings: TaskSettings) -> tuple[Any, ...]:
    return (source, settings.decode, settings.animation)


def _loaded(source: ImageSource, settings: TaskSettings) -> LoadedImage:
    def decode_in_time() -> LoadedImage:
        with ended_after(settings.seconds_per_image):
            limit = min(_decode_limit, default=None)
            return load_image(source, replace(settings, decode=replace(settings.decode, max_bytes=limit)))

    return _images.get(_cache_key(source, settings), decode_in_time)


def _check_same(image: LoadedImage, token: LoadToken) -> None:
    if image.token.content != token.content:
        raise ImageIOFailed("the file changed while its colours were being flattened; run again")


def _check_stopped(settings: TaskSettings) -> None:
    if settings.run in _stopped_runs:
        raise _Interrupted


def _output(source: ImageSource, name: str) -> str:
    return f"{layout.image_folder(source.image_id)}/{name}"


@lru_cache(maxsize=8)
def _root(place: str) -> Root:
    return open_root(place)


def _keep_frame(image: LoadedImage, k: int, flat: PaletteImage, settings: TaskSettings) -> None:
    """Keep a flat for the sweep, unless it is so large that fourteen of them would not fit; then it is read back."""
    if image.preview.pixels.size <= _LARGEST_KEPT and preview_side(settings) > 1:
        image.frames[k] = shrink_flat(flat, preview_side(settings))


def _write(settings: TaskSettings, name: str, content: bytes) -> None:
    try:
        persistently(lambda: _root(settings.output).write(name, content), settings.io_retries)
    except OSError as error:
        raise _OutputFailed(f"{name} could not be written: {error.strerror or error}") from error


def _write_sweep(
    token: LoadToken, source: ImageSource, flats: list[FlattenResult], settings: TaskSettings, began: float
) -> SweepResult:
    folder = f"{layout.image_folder(source.image_id)}/"
    files: dict[str, tuple[int, str]] = {}
    for name, content in _sweep_files(token, source, flats, settings):
        _write(settings, name if "/" in name else folder + name, content)
        files[name.removeprefix(folder)] = (len(content), hashlib.sha256(content).hexdigest())
    animation = files.get(layout.animation_name(settings.animation.format), (0, ""))
    return SweepResult(
        image_id=source.image_id,
        animation_bytes=animation[0],
        animation_sha256=animation[1],
        palettes_bytes=files[layout.PALETTES][0],
        palettes_sha256=files[layout.PALETTES][1],
        files=tuple((name, sha256) for name, (_, sha256) in files.items()),
        seconds=time.perf_counter() - began,
    )


def _sweep_files(
    token: LoadToken, source: ImageSource, flats: list[FlattenResult], settings: TaskSettings
) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of all that the sweep task writes, palettes.json last; a bare name is of the image's folder."""
    if preview_side(settings) > 1:
        image = _loaded(source, settings)
        _check_same(image, token)
        frames = Frames(tuple(flat.k for flat in flats), image.frames, lambda k: _read_back(source, k, settings))
        if settings.animation.enabled:
            animation = encode_animation(frames, image.preview, settings.animation)
            yield layout.animation_name(settings.animation.format), animation
        if settings.pictures:
            yield from encode_pictures(image, frames, flats, settings)
    if settings.target:
        yield layout.BEST, _read_flat(source, best_flat(flats, settings.target).k, settings)
    yield from encode_palette_files(source.image_id, flats, settings.palettes, settings.name_width)
    yield layout.PALETTES, encode_palettes(source.image_id, flats)


def _read_back(source: ImageSource, k: int, settings: TaskSettings) -> PaletteImage:
    """The frame for k from its saved file: the same pixels as when it was made."""
    return shrink_flat(decode_flat(_read_flat(source, k, settings)), preview_side(settings))


def _read_flat(source: ImageSource, k: int, settings: TaskSettings) -> bytes:
    name = _output(source, layout.flat_name(k, settings.name_width))
    return persistently(lambda: _root(settings.output).read(name), settings.io_retries)


def _failure(stage: Stage, error: Exception) -> Failure:
    if isinstance(error, _Interrupted):
        return _INTERRUPTED
    if isinstance(error, ImageError):
        return Failure(stage, error.error, str(error), fatal=isinstance(error, _OutputFailed))
    if isinstance(error, MemoryError):
        return Failure(stage, ImageTooLarge.error, "not enough memory on this worker")
    if isinstance(error, OSError):
        return Failure(stage, ImageIOFailed.error, error.strerror or str(error) or type(error).__name__)
    return Failure(stage, ImageError.error, f"{type(error).__name__}: {error}")
