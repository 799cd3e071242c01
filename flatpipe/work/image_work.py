"""One image in the hands of one worker: the parts of which its tasks are made."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar

from flatpipe import layout
from flatpipe.decode.apart.decoding import Decoding
from flatpipe.encode.animation import ShownFrame, join_sweep
from flatpipe.encode.png import decode_flat, encode_png
from flatpipe.errors import ImageIOFailed
from flatpipe.quantize.color_table import ColorTable
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.quantize.shared.color_sums import color_weights
from flatpipe.records import FlattenResult, ImageSource, LoadToken, SweepResult
from flatpipe.settings import TaskSettings
from flatpipe.system.child import call_off, watchdog
from flatpipe.work.flats import colors_alone, kept_flat, painted
from flatpipe.work.loaded import ImageKey, LoadedImage, OriginalResult, load_image
from flatpipe.work.outcome import flatten_result
from flatpipe.work.outputs import ImageFiles, ImageOutputs
from flatpipe.work.sweep import (
    best_flat,
    encode_frame,
    encode_palette_files,
    encode_palettes,
    encode_pictures,
    frame_picture,
    named_palette,
)
from flatpipe.work.watchdog import Interrupted, in_time
from flatpipe.work.worker import Worker

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_SMALL_FILE = 16 << 20
# ^ bytes that any worker can read: what the image then takes is judged by its header


def _a_task(
    method: Callable[Concatenate[ImageWork, Parameters], Result],
) -> Callable[Concatenate[ImageWork, Parameters], Result]:
    """The method, not begun after a stop, and known to be at work while it is."""

    @wraps(method)
    def begun(work: ImageWork, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if work.is_stopped():
            raise Interrupted
        with work.worker.busy_with(work.source.image_id):
            return method(work, *args, **kwargs)

    return begun


@dataclass(frozen=True, slots=True)
class ImageWork:
    """What is done to one image; every method raises ImageError and OSError, and Interrupted after a stop."""

    worker: Worker
    source: ImageSource
    settings: TaskSettings
    outputs: ImageFiles
    key: ImageKey
    # ^ of the decoded image in the worker's cache

    @classmethod
    def of(cls, worker: Worker, source: ImageSource, settings: TaskSettings, *, holds: bool = False) -> ImageWork:
        """Work on an image; see `ImageOutputs` for what `holds` means."""
        opened, folder = partial(worker.root, settings.output, settings.part), layout.image_folder(source.image_id)
        outputs = ImageOutputs(opened, folder, settings.io_retries, holds)
        return cls(worker, source, settings, outputs, ImageKey(source, settings))

    @_a_task
    def load(self) -> LoadToken:
        """Decode the image into the worker's cache."""
        return self._loaded().token

    @_a_task
    def weighed_colors(self) -> tuple[str, ColorTable]:
        """Digest of the file, and the image's colours as they count among those of other images."""
        image = self._loaded()
        return image.token.content, color_weights(image.indexed.table, image.alpha, self.settings.weigh)

    @_a_task
    def flatten(self, token: LoadToken, k: int) -> FlattenResult:
        """Load, cluster, recolour and save, as far as something is to be seen of it."""
        began, settings = time.perf_counter(), self.settings
        image = self._loaded_as(token)
        if not settings.paints_each:
            return flatten_result(image, k, colors_alone(image, k, settings), None, b"", settings, began)
        flat = painted(image, k, settings)
        content = self._save(image, k, flat) if settings.flats == "all" else b""
        if settings.animation.enabled or settings.pictures:
            image.flats[k] = kept_flat(image, k, flat, content, settings)
        return flatten_result(image, k, flat.colors, flat, content, settings, began)

    def _save(self, image: LoadedImage, k: int, flat: PaletteImage) -> bytes:
        """Write a flat's file, and return what it holds."""
        content = encode_png(flat, image.alpha)
        self.outputs.write(self._own(layout.flat_name(k, self.settings.name_width)), content)
        return content

    @_a_task
    def prepare(self, token: LoadToken) -> OriginalResult:
        """Make what the sweep needs of the original alone, and keep it with the decoded image."""
        began = time.perf_counter()
        if self.settings.pictures:
            self._loaded_as(token).pictures.get()
            # ^ first: meanwhile the first k to be flattened makes the pyramid, which the last frame needs too
        if self.settings.animation.enabled:
            self._loaded_as(token).last_frame.get()
        return OriginalResult(self.source.image_id, time.perf_counter() - began)

    @_a_task
    def sweep(self, token: LoadToken, flats: Sequence[FlattenResult]) -> SweepResult:
        """Write the files that need all k; `flats` are those of every k."""
        began = time.perf_counter()
        ascending = sorted(flats, key=lambda flat: flat.k)
        moved = self._save_best(token, ascending) if self.settings.flats == "best" else ()
        return replace(self.put(self._sweep_files(token, ascending), began), moved=moved)

    def put(self, contents: Iterator[tuple[str, bytes]], began: float) -> SweepResult:
        """Write the files that need all k, given by their names; the record of a task that `began` then."""
        folder, files = self._own(""), dict[str, tuple[int, str]]()
        for name, content in contents:
            self.outputs.write(name if "/" in name else folder + name, content)
            files[name.removeprefix(folder)] = (len(content), hashlib.sha256(content).hexdigest())
        animation = files.get(layout.animation_name(self.settings.animation.format), (0, ""))
        return SweepResult(
            image_id=self.source.image_id,
            animation_bytes=animation[0],
            animation_sha256=animation[1],
            palettes_bytes=files[layout.PALETTES][0],
            palettes_sha256=files[layout.PALETTES][1],
            files=tuple((name, sha256) for name, (_, sha256) in files.items()),
            seconds=time.perf_counter() - began,
            sizes=tuple((name, size) for name, (size, _) in files.items()),
        )

    def _save_best(self, token: LoadToken, flats: Sequence[FlattenResult]) -> tuple[FlattenResult, ...]:
        """Write the one flat that is asked for, where it has no file; those whose file came, or is no longer one."""
        best = best_flat(flats, self.settings.target)
        moved = [replace(flat, bytes=0, sha256="") for flat in flats if flat.sha256 and flat.k != best.k]
        if not best.sha256:
            image = self._loaded_as(token)
            content = self._save(image, best.k, painted(image, best.k, self.settings))
            moved.append(replace(best, bytes=len(content), sha256=hashlib.sha256(content).hexdigest()))
        return tuple(moved)

    def forget(self) -> None:
        """Let go of the decoded image."""
        self.worker.images.drop(self.key)

    def is_stopped(self) -> bool:
        """Whether the user asked to stop the run that this is for."""
        return self.worker.is_stopped(self.settings.run)

    def _loaded(self) -> LoadedImage:
        return self.worker.images.get(self.key, self._decode_in_time)

    def _loaded_as(self, token: LoadToken) -> LoadedImage:
        """The decoded image, of the content that the token tells of."""
        image = self._loaded()
        if image.token.content != token.content:
            raise ImageIOFailed("the file changed while its colours were being flattened; run again")
        return image

    def _decode_in_time(self) -> LoadedImage:
        """The decoded image, within the time that the settings allow, however it is that it can be ended here."""
        seconds = self.settings.seconds_per_image
        if self.worker.may_exit:
            alone = Decoding(seconds, has_company=False, goes_apart=call_off)
            with watchdog(seconds):
                return self._decode(alone)
        decoding = Decoding(seconds)
        try:
            return in_time(partial(self._decode, decoding), seconds, self.is_stopped)
        except BaseException:
            decoding.end()
            raise

    def _decode(self, decoding: Decoding) -> LoadedImage:
        most, settings = self.worker.decode_bytes, self.settings
        reading = replace(settings.reading, max_bytes=max(most, _SMALL_FILE)) if most else settings.reading
        policy = replace(settings.decode, max_bytes=most)
        return load_image(self.source, replace(settings, decode=policy, reading=reading), decoding)

    def _own(self, name: str) -> str:
        """A name in the image's folder, below the output root."""
        return f"{self.outputs.folder}/{name}"

    def _sweep_files(self, token: LoadToken, flats: list[FlattenResult]) -> Iterator[tuple[str, bytes]]:
        """Names and bytes of all that the sweep writes, palettes.json last; a bare name is of the image's folder."""
        settings = self.settings
        if settings.animation.enabled:
            image = self._loaded_as(token)
            ks = [flat.k for flat in flats]
            animation = join_sweep(self._frames(image, ks), image.original, settings.animation)
            yield layout.animation_name(settings.animation.format), animation
        if settings.pictures:
            image = self._loaded_as(token)
            yield from encode_pictures(image, partial(self._flat, image), flats, settings)
        if settings.has_best:
            yield layout.BEST, self._read_flat(best_flat(flats, settings.target).k)
        named = named_palette(settings)
        yield from encode_palette_files(self.source.image_id, flats, settings, named)
        yield layout.PALETTES, encode_palettes(self.source.image_id, flats, named)

    def _frames(self, image: LoadedImage, ks: Sequence[int]) -> Iterator[ShownFrame]:
        """The animation's frames for all k, then that of the original."""
        yield from (self._frame(image, k) for k in ks)
        yield image.last_frame.get()

    def _frame(self, image: LoadedImage, k: int) -> ShownFrame:
        """The animation's frame for k: as it was kept, or of the saved file, which has the same pixels."""
        kept = image.flats.get(k)
        if kept is None or kept.frame is None:
            return encode_frame(image, k, self._flat(image, k), self.settings)
        if kept.frame.picture is None and self.settings.animation.fade:
            return replace(kept.frame, picture=frame_picture(image, k, self._flat(image, k), self.settings))
        return kept.frame

    def _flat(self, image: LoadedImage, k: int) -> PaletteImage:
        """The flat for k as its file has it, or would have it, or at the sweep's size."""
        if self.settings.flats != "all":
            return painted(image, k, self.settings)
        kept = image.flats[k].flat if k in image.flats else None
        return kept if isinstance(kept, PaletteImage) else decode_flat(kept or self._read_flat(k))

    def _read_flat(self, k: int) -> bytes:
        return self.outputs.read(self._own(layout.flat_name(k, self.settings.name_width)))
