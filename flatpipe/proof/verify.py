"""Every recorded output, and every input, against its sha256 in the ledger."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from flatpipe import layout
from flatpipe.ledger.answers import BesideFile
from flatpipe.ledger.ledger import Ledger
from flatpipe.places import ReadPolicy
from flatpipe.proof.outputs import Difference, Kind, RecordedFile, RecordedImage, kind_of
from flatpipe.proof.packs.verified import VerifiedPacks, doubt
from flatpipe.records import ImageSource
from flatpipe.storage.archives.kinds import column_of, name_within
from flatpipe.storage.asked import members_now
from flatpipe.storage.discover import source_at
from flatpipe.storage.reading import remembered_digests
from flatpipe.storage.roots import Root

_AT_ONCE = 64
# ^ images that are read between two looks at the ledger: bounded memory for any number of them
_ARCHIVES_KEPT = 2
# ^ lists of archives that were packed anew: images come archive by archive


@dataclass(slots=True)
class Verified:
    """What was looked at so far."""

    images: int = 0
    outputs: int = 0
    inputs: int = 0
    beside: int = 0
    # ^ files beside the images: tables, run.json, the lock, the report
    recomputed: int = 0
    # ^ images
    unfinished: int = 0
    # ^ images that have no complete outputs under the config's settings: failed, not done yet, or settings changed


def verify(
    images: Iterable[RecordedImage],
    outputs: Root,
    counts: Verified,
    jobs: int,
    *,
    inputs: ReadPolicy | None,
    packs: VerifiedPacks | None = None,
) -> Iterator[Difference]:
    """What differs, in the order of images, as a stream; counts as it goes. `jobs` threads read and digest.

    `inputs` says how inputs are read; with None they are not looked at. `packs` knows the outputs in tar files.
    """
    remaining = iter(images)
    read_inputs = Inputs(inputs or ReadPolicy())
    differences_of = partial(_differences, outputs) if packs is None else packs.differences
    with ThreadPoolExecutor(jobs) as pool:
        while batch := list(itertools.islice(remaining, _AT_ONCE)):
            counts.unfinished += sum(not image.is_complete for image in batch)
            read = [image for image in batch if image.content]
            for image, found in zip(read, pool.map(differences_of, read), strict=True):
                counts.images += 1
                counts.outputs += len(image.files)
                yield from found
            if inputs is not None:
                counts.inputs += len(read)
                yield from itertools.chain.from_iterable(pool.map(read_inputs.differences, read))


def verify_beside(ledger: Ledger, outputs: Root, counts: Verified, jobs: int) -> Iterator[Difference]:
    """What differs of the files beside the images, in the order of their names; counts as it goes."""
    files = [RecordedFile(file.name, file.sha256, None) for file in ledger.beside_files()]
    files += [RecordedFile(layout.sum_name(one.key), one.sha256, None) for one in ledger.shared.all_sums()]
    with ThreadPoolExecutor(jobs) as pool:
        for file, kind in zip(files, pool.map(lambda one: _judge(outputs, one), files), strict=True):
            counts.beside += 1
            if kind is not None:
                yield Difference("", kind, file.name)


def invalidate(ledger: Ledger, differences: Iterable[Difference]) -> None:
    """Note in the ledger what differs, so that the next run makes it again; a recomputation alone proves no damage.

    Raises RunGivenUp when the ledger cannot be written.
    """
    with ledger.transaction():
        ledger.joined.note_look()
        for difference in differences:
            if key := layout.key_of_sum(difference.name):
                ledger.shared.forget_sums([key])
            elif not difference.image_id and ledger.packs.knows(difference.name):
                doubt(ledger, difference)
            elif not difference.image_id:
                ledger.note_beside([BesideFile(difference.name, "", -1)])
                # ^ a size that no file has
            elif difference.kind in ("input changed", "input missing"):
                ledger.invalidate_input(difference.image_id)
            elif difference.kind != "recomputed otherwise":
                ledger.invalidate(difference.image_id, difference.k)


def _differences(outputs: Root, image: RecordedImage) -> list[Difference]:
    found = []
    for file in image.files:
        kind = _judge(outputs, file)
        if kind is not None:
            found.append(Difference(image.source.image_id, kind, file.name, file.k))
    return found


def _judge(outputs: Root, file: RecordedFile) -> Kind | None:
    return kind_of(lambda: outputs.read(file.name), file.sha256)


class Inputs:
    """The inputs as they are now."""

    def __init__(self, policy: ReadPolicy) -> None:
        self._digest_of = remembered_digests(policy, _AT_ONCE)
        # ^ the frames of a file come together
        self._members, self._lock = lru_cache(_ARCHIVES_KEPT)(_members), threading.Lock()

    def differences(self, image: RecordedImage) -> list[Difference]:
        """What became of an image's input, if anything did."""
        source = image.source
        digest = self._digest_of(self.source_now(image))
        if digest == image.content:
            return []
        place = f"{source.path}/{name_within(source)}" if source.part else source.path
        return [Difference(source.image_id, "input changed" if digest else "input missing", place)]

    def source_now(self, image: RecordedImage) -> ImageSource:
        """Where an image is now: a member whose archive was packed anew lies elsewhere."""
        source = image.source
        if not source.part or self._digest_of(source) == image.content:
            return source
        moved = self._moved(source)
        return replace(moved, image_id=source.image_id, frame=source.frame) if moved else source

    def _moved(self, source: ImageSource) -> ImageSource | None:
        """A member where it is now; None when its archive has none of its name any more."""
        with self._lock:
            # ^ an archive is listed once
            members = self._members(source.path, column_of(source.part))
        return members.get(name_within(source))


def _members(path: str, column: str | None) -> dict[str, ImageSource]:
    try:
        return members_now(source_at(path), column)
    except OSError:
        return {}
