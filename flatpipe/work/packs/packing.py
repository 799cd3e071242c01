"""Shards written from the ranges of other tar files: nothing is computed, decoded or compressed for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from flatpipe.errors import ImageError
from flatpipe.ledger.packs.rows import PackFile, PackResult, SetAside, WantedPack
from flatpipe.records import Failure, PackedImage
from flatpipe.settings import TaskSettings
from flatpipe.storage.packs.ranges import END, DamagedRangeError, with_key
from flatpipe.storage.roots import Root
from flatpipe.work.outcome import failure_of
from flatpipe.work.outputs import OutputFailed, not_written
from flatpipe.work.retry import with_retries
from flatpipe.work.worker import this_worker

_AT_ONCE = 16 << 20
# ^ bytes of neighbouring ranges that are read together; one alone may be larger


class _RangesLostError(Exception):
    """Images do not lie where they should; their ids are what it says."""


def pack(wanted: WantedPack, settings: TaskSettings) -> PackResult:
    """Write a shard, whole or not at all, and drop files that nothing needs any more; of no images none is left."""
    root, writing = this_worker().root(settings.output), _Writing(wanted, settings.io_retries)
    try:
        for name in wanted.unneeded:
            root.remove(name)
        if not wanted.images:
            root.remove(wanted.file)
            return PackResult()
        with_retries(lambda: root.write_blocks(wanted.file, writing.blocks(root)), settings.io_retries)
    except _RangesLostError as lost:
        return PackResult(damaged=lost.args)
    except OSError as error:
        return PackResult(failure=failure_of("worker", OutputFailed(not_written(wanted.file, error))))
    return PackResult(PackFile(wanted.file, writing.digest.hexdigest(), writing.size), tuple(writing.images))


def set_aside(moved: SetAside, settings: TaskSettings) -> Failure | None:
    """Give a shard its second name; why that failed, where it did."""
    root = this_worker().root(settings.output)
    try:
        with_retries(lambda: root.double(moved.file, moved.piece), settings.io_retries)
    except (ImageError, OSError) as error:
        return failure_of("worker", OutputFailed(str(error)))
    return None


@dataclass(slots=True)
class _Writing:
    """A shard as it is written."""

    wanted: WantedPack
    retries: int
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    size: int = 0
    images: list[PackedImage] = field(default_factory=list)

    def blocks(self, root: Root) -> Iterator[bytes]:
        """All bytes of the file, and what is to be known of it, from the beginning; raises _RangesLostError."""
        self.digest, self.size, self.images = hashlib.sha256(), 0, []
        keys = iter(self.wanted.keys)
        for together in _neighbours(self.wanted.images):
            content = self._read(root, together)
            for image in together:
                at = image.start - together[0].start
                yield self._packed(image, next(keys), content[at : at + image.bytes])
        self.digest.update(END)
        self.size += len(END)
        yield END

    def _read(self, root: Root, together: list[PackedImage]) -> bytes:
        first, size = together[0], sum(image.bytes for image in together)
        try:
            return with_retries(lambda: root.read_range(first.file, first.start, size), self.retries)
        except FileNotFoundError:
            raise _RangesLostError(*(image.image_id for image in together)) from None

    def _packed(self, image: PackedImage, key: str, part: bytes) -> bytes:
        """An image's range with its key; what was damaged on the disk goes no further."""
        sha256 = hashlib.sha256(part).hexdigest()
        if sha256 != image.sha256:
            raise _RangesLostError(image.image_id)
        if key != image.key:
            try:
                part = with_key(part, key)
            except DamagedRangeError:
                raise _RangesLostError(image.image_id) from None
            sha256 = hashlib.sha256(part).hexdigest()
        self.images.append(PackedImage(image.image_id, self.wanted.file, key, self.size, len(part), sha256))
        self.digest.update(part)
        self.size += len(part)
        return part


def _neighbours(images: tuple[PackedImage, ...]) -> Iterator[list[PackedImage]]:
    """The images in their order, those together that lie behind one another in one file."""
    together: list[PackedImage] = []
    for image in images:
        if together:
            last = together[-1]
            is_next = (image.file, image.start) == (last.file, last.start + last.bytes)
            if not is_next or image.start + image.bytes - together[0].start > _AT_ONCE:
                yield together
                together = []
        together.append(image)
    if together:
        yield together
