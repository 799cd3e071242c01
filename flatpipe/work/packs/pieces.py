"""The files of some images on their way to a shard: gathered in one tar file that is written with one write."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from flatpipe import layout
from flatpipe.ledger.packs.rows import PackFile
from flatpipe.records import PackedImage
from flatpipe.settings import TaskSettings
from flatpipe.storage.packs.ranges import END, member_blocks
from flatpipe.work.outputs import OutputFailed, not_written
from flatpipe.work.retry import with_retries
from flatpipe.work.worker import Worker

_MOST_BYTES = 32 << 20
# ^ of a piece: then the next begins. One image may have more
_MOST_IN_MEMORY = 64 << 20
_BLOCK = 1 << 20


class Piece:
    """A tar file that grows image by image, in memory, or on the local disk where it is large."""

    def __init__(self, worker: Worker, settings: TaskSettings) -> None:
        self._worker, self._settings = worker, settings
        self.name = layout.piece_name(settings.pieces)
        self._gathered: IO[bytes] = tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY, prefix="flatpipe-")  # noqa: SIM115
        # ^ closed when it is put in place
        self._size, self._digest = 0, hashlib.sha256()
        self._image: _PieceFiles | None = None

    @property
    def is_full(self) -> bool:
        """Whether the next image belongs in another."""
        return self._size > _MOST_BYTES

    def begin(self, image_id: str, key: str) -> _PieceFiles:
        """Where the files of the next image go."""
        self._image = _PieceFiles(self, layout.image_folder(image_id), image_id, key, self._size)
        return self._image

    def end(self, *, is_done: bool) -> PackedImage | None:
        """Where they lie; of an image that is not done they are dropped."""
        assert self._image is not None
        image = self._image
        if not is_done:
            self.cut(image.start)
            return None
        size, digest = self._size - image.start, hashlib.sha256()
        for block in self._blocks(image.start):
            digest.update(block)
            self._digest.update(block)
        return PackedImage(image.image_id, self.name, image.key, image.start, size, digest.hexdigest())

    def add(self, blocks: tuple[bytes, ...]) -> int:
        """Take blocks in at the end; the place where they begin."""
        start = self._size
        self._gathered.seek(start)
        for block in blocks:
            self._gathered.write(block)
            self._size += len(block)
        return start

    def cut(self, size: int) -> None:
        """Drop what was taken in behind the first so many bytes."""
        self._gathered.truncate(size)
        self._size = size

    def read(self, start: int, size: int) -> bytes:
        """What was taken in."""
        self._gathered.seek(start)
        return self._gathered.read(size)

    def put_in_place(self) -> PackFile | None:
        """Write the whole file; None where there is nothing in it. Raises OutputFailed; takes in nothing more."""
        with self._gathered:
            if not self._size:
                return None
            self.add((END,))
            self._digest.update(END)
            try:
                with_retries(self._write, self._settings.io_retries)
            except OSError as error:
                raise OutputFailed(not_written(self.name, error)) from error
        return PackFile(self.name, self._digest.hexdigest(), self._size)

    def _write(self) -> None:
        root = self._worker.root(self._settings.output, self._settings.part)
        if self._size > _MOST_IN_MEMORY:
            root.write_blocks(self.name, self._blocks(0))
        else:
            root.write(self.name, self.read(0, self._size))

    def _blocks(self, start: int) -> Iterator[bytes]:
        while start < self._size:
            block = self.read(start, min(_BLOCK, self._size - start))
            yield block
            start += len(block)


@dataclass(slots=True)
class _PieceFiles:
    """The files of one image in a piece, in the order in which they come."""

    piece: Piece
    folder: str
    # ^ that it would have
    image_id: str
    key: str
    start: int
    # ^ of the first, in the piece
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)
    # ^ start and size of each file's content, by name

    def write(self, name: str, content: bytes) -> None:
        """Take a whole file, without its folder: the key tells it from those of others."""
        own = name.rpartition("/")[2]
        header, *rest = member_blocks(self.key, own, content)
        self._places[own] = self.piece.add((header, *rest)) + len(header), len(content)

    def read(self, name: str) -> bytes:
        """All bytes of a file that was taken."""
        return self.piece.read(*self._places[name.rpartition("/")[2]])

    def put_in_place(self) -> None:
        """Nothing: that is the piece's own."""

    def begin_again(self) -> None:
        """Drop all that was taken."""
        self.piece.cut(self.start)
        self._places.clear()
