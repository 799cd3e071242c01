"""Sources and ks, minus what is still valid, as PlannedImages that say why. Plans stream, and do no image work."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from flatpipe import layout
from flatpipe.ledger.answers import KnownImage, KnownOutput, SettledImage
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.rows import INVALID
from flatpipe.plan.fingerprint import Fingerprints, changed
from flatpipe.plan.image_files import ImageFiles, image_files
from flatpipe.plan.palettes.states import SharedPalettes
from flatpipe.plan.same_bytes import SameBytes
from flatpipe.plan.there import FilesThere, PicturesThere
from flatpipe.quantize.options import CostlyMetric
from flatpipe.records import ImageSource, PlannedImage, SettingsDigests
from flatpipe.settings import TaskSettings
from flatpipe.storage.reading import has_content
from flatpipe.storage.roots import Root
from flatpipe.text import spans
from flatpipe.vocabulary import SAME_BYTES

_CHUNK = 400
# ^ images per question to the ledger (three queries for all of them) and to the output (one listing of each folder,
#   asked together where the output is remote)

_MOVED = "layout changed"
# ^ why outputs that are right are copied: they lie as another output.layout has them
_ADDED = "added"
# ^ why a k is due that no earlier run of the image has made


@dataclass(frozen=True, slots=True)
class Planner:
    """All that deciding on an image needs to know."""

    ledger: Ledger
    outputs: Root
    settings: TaskSettings
    ks: tuple[int, ...]
    fingerprints: Fingerprints
    force: bool = False
    shared: SharedPalettes | None = None
    # ^ the palettes that images share; None where each has its own

    def plan(self, sources: Iterable[ImageSource]) -> Iterator[PlannedImage]:
        """One PlannedImage per source, in the same order; reads the ledger and file sizes, not pixels."""
        remaining, pictures = iter(sources), PicturesThere(self.outputs, self.ledger.folder_stamps())
        files = image_files(self.outputs, self.ledger, self.settings)
        same = SameBytes(self.ledger, self._digests, self.settings.metrics, self.settings.reading)
        # ^ an image that is new here gets every measure
        with contextlib.closing(same):
            while chunk := list(itertools.islice(remaining, _CHUNK)):
                planned: Iterator[PlannedImage]
                if self.force:
                    planned = (PlannedImage(source, self.ks, sweep=True, reason="forced") for source in chunk)
                else:
                    planned = map(self._whole, self._plan_chunk(chunk, pictures, files, same))
                yield from planned if self.shared is None else map(self.shared.in_group, planned)

    @property
    def _digests(self) -> SettingsDigests:
        return SettingsDigests(tuple(self.fingerprints.flat.items()), self.fingerprints.sweep)

    def _whole(self, image: PlannedImage) -> PlannedImage:
        """The image with all that it comes to, where it lacks a part and outputs lie in shards."""
        if not self.settings.pieces or image.is_current or image.same_as:
            return image
        return replace(image, ks=self.ks, sweep=True)

    def _plan_chunk(
        self, chunk: list[ImageSource], pictures: PicturesThere, files: ImageFiles, same: SameBytes
    ) -> Iterator[PlannedImage]:
        """Most images of most plans lack nothing, which is quickly seen; of the others we ask what they lack."""
        settled = self.ledger.settled([source.image_id for source in chunk], self._digests, self._needed_metrics)
        sizes = files.sizes_of(settled)
        names = {str(k): layout.flat_name(k, self.settings.name_width) for k in self.ks}
        is_current = [self._is_current(source, settled, sizes, names, pictures) for source in chunk]
        others = [source.image_id for source, current in zip(chunk, is_current, strict=True) if not current]
        known = self.ledger.known(others)
        sizes |= files.sizes_of(image_id for image_id in known if image_id not in settled)
        elsewhere = files.elsewhere(image_id for image_id in others if image_id in settled)
        for source, current in zip(chunk, is_current, strict=True):
            image_id = source.image_id
            if current:
                yield PlannedImage(source, (), sweep=False, reason="")
            elif image_id in elsewhere and (self.shared is None or self.shared.is_given(image_id, settled[image_id])):
                yield PlannedImage(source, (), sweep=True, reason=_MOVED, same_as=image_id)
            else:
                there = FilesThere(sizes.get(source.image_id, {}), pictures)
                yield self._plan_image(source, known.get(source.image_id), there, same)

    def _is_current(
        self,
        source: ImageSource,
        settled: dict[str, SettledImage],
        sizes: dict[str, dict[str, int]],
        names: dict[str, str],
        pictures: PicturesThere,
    ) -> bool:
        """Whether nothing is due, as `_plan_image` would find: the input is as it was, and so are the sizes."""
        made = settled.get(source.image_id)
        if made is None or (source.size, source.stamp, source.part) != (made.size, made.stamp, made.part):
            return False
        found = sizes.get(source.image_id, {})
        expected = {names[k]: size for k, size in made.flat_bytes.items() if size}
        if self.settings.has_best and found.get(layout.BEST) not in expected.values():
            return False
        expected |= made.sweep_bytes
        if self.shared is not None and not self.shared.is_given(source.image_id, made):
            return False
        return expected.items() <= found.items() and pictures.are_there(made.pictures)

    def _plan_image(
        self, source: ImageSource, known: KnownImage | None, there: FilesThere, same: SameBytes
    ) -> PlannedImage:
        if known is None or not self._same_content(source, known):
            return self._plan_bytes(source, "new" if known is None else "content changed", same)
        reasons = {k: self._flat_reason(k, known, there.own) or self._shared_reason(k, known) for k in self.ks}
        due = tuple(k for k, reason in reasons.items() if reason)
        sweep_reason = "flats changed" if due else self._sweep_reason(known, there)
        return PlannedImage(source, due, bool(sweep_reason), _in_words(reasons, "" if due else sweep_reason))

    def _plan_bytes(self, source: ImageSource, reason: str, same: SameBytes) -> PlannedImage:
        """The plan of an image whose bytes are not what its own outputs were made of: those of another image may be."""
        shared = self.shared
        other = same.of(source, lambda made: shared is None or shared.is_given(source.image_id, made))
        if other:
            return PlannedImage(source, (), sweep=True, reason=SAME_BYTES, same_as=other)
        return PlannedImage(source, self.ks, sweep=True, reason=reason)

    def _same_content(self, source: ImageSource, known: KnownImage) -> bool:
        """By size and dates when they are as recorded; else by reading the file. A moved date alone changes nothing."""
        if (source.size, source.stamp, source.part) == (known.source.size, known.source.stamp, known.source.part):
            return True
        same = has_content(source, known.source.size, known.content, self.settings.reading)
        # ^ of what cannot be read it is not: the load task meets the same error and reports it
        if same:
            self.ledger.refresh_stamp(source)
        return same

    def _flat_reason(self, k: int, known: KnownImage, sizes: dict[str, int]) -> str:
        made = known.flats.get(k)
        if made is None:
            return _ADDED if known.flats else "new"
        if made.settings != self.fingerprints.flat[k]:
            return self._settings_reason(made, self.fingerprints.flat[k])
        if made.content != known.content:
            return "content changed"
        name = layout.flat_name(k, self.settings.name_width)
        file_reason = _file_reason(sizes.get(name), made.bytes) if made.bytes else ""
        return file_reason or ("" if self._is_measured(made) else "metrics added")

    def _shared_reason(self, k: int, known: KnownImage) -> str:
        """Why the image's flat needs another palette than it has, where that is one that images share."""
        return "" if self.shared is None else self.shared.why_not(known.source.image_id, k, known.flats[k].given)

    def _is_measured(self, made: KnownOutput) -> bool:
        """Whether every costly measure that is asked for was taken; those that are not asked for may stay."""
        return not self._needed_metrics or json.loads(made.metrics).keys() >= set(self._needed_metrics)

    @property
    def _needed_metrics(self) -> tuple[CostlyMetric, ...]:
        """The measures for whose sake a flat is made again; with frozen palettes what is there stays as it is."""
        is_frozen = self.shared is not None and self.shared.is_frozen
        return tuple(name for name in self.settings.metrics if not is_frozen or name != "own_mse")

    def _sweep_reason(self, known: KnownImage, there: FilesThere) -> str:
        made = known.sweep
        if made is None:
            return "sweep missing"
        if made.settings != self.fingerprints.sweep:
            return self._settings_reason(made, self.fingerprints.sweep)
        if made.content != known.content:
            return "content changed"
        if self.shared is not None and not self.shared.is_given_all(known.source.image_id, made.given):
            return "palettes changed"
        return self._files_reason(made, there) or self._best_reason(known, there.own)

    def _files_reason(self, made: KnownOutput, there: FilesThere) -> str:
        """Every file of the sweep must be there, and as large as it was written."""
        expected = {layout.PALETTES: made.palettes_bytes}
        if self.settings.animation.enabled:
            expected[layout.animation_name(self.settings.animation.format)] = made.bytes
        for name, size in {**json.loads(made.files), **expected}.items():
            found = there.size(name)
            if found is None or isinstance(size, int):
                reason = _file_reason(found, size)
                if reason:
                    return reason
        return ""

    def _best_reason(self, known: KnownImage, sizes: dict[str, int]) -> str:
        """best.png is a copy: it must be there, as large as one of the flats."""
        if not self.settings.has_best:
            return ""
        found = sizes.get(layout.BEST)
        is_copy = found in {known.flats[k].bytes for k in self.ks if known.flats[k].bytes}
        return "" if is_copy else _file_reason(found, -1)

    def _settings_reason(self, made: KnownOutput, digest: str) -> str:
        if made.settings == INVALID:
            return "verify found it changed"
        return changed(self.ledger.choices(made.settings), self.fingerprints.choices[digest])


def _file_reason(found: int | None, expected: int) -> str:
    if found is None:
        return "output missing"
    return "" if found == expected else "output has another size"


def _in_words(reasons: dict[int, str], sweep_reason: str) -> str:
    """`k = 16 added; output missing (k = 3, 4)` - each reason once, with the ks it holds for."""
    by_reason: dict[str, list[int]] = {}
    for k, reason in reasons.items():
        if reason:
            by_reason.setdefault(reason, []).append(k)
    words = [_with_ks(reason, ks, len(ks) == len(reasons)) for reason, ks in by_reason.items()]
    return "; ".join([*words, *([f"sweep: {sweep_reason}"] if sweep_reason else [])])


def _with_ks(reason: str, ks: list[int], are_all: bool) -> str:
    if reason == _ADDED:
        return f"k = {spans(ks)} {_ADDED}"
    return reason if are_all else f"{reason} (k = {spans(ks)})"
