"""Where the output files of images lie: in a folder of their own, or in shards. Whoever looks for one asks here."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from functools import cached_property, lru_cache, partial
from typing import Protocol

from flatpipe import layout
from flatpipe.ledger.ledger import Ledger
from flatpipe.records import PackedImage
from flatpipe.settings import TaskSettings
from flatpipe.storage.packs.ranges import files_in
from flatpipe.storage.roots import Root, sizes_of_files

_IMAGES_KEPT = 16
# ^ images whose files are asked for one after another, by some threads


class ImageFiles(Protocol):
    """The output files of images, by the names that their tasks gave: "k07.png", "sweep.gif"."""

    def sizes_of(self, image_ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """Sizes in bytes of the files that are there, by image and name; images without any may be absent."""
        ...

    def elsewhere(self, image_ids: Iterable[str]) -> frozenset[str]:
        """Those of these recorded images whose outputs lie in the other layout."""
        ...

    def place(self, image_id: str, name: str) -> str:
        """Where a file lies below the output root; of one in a tar file that file, "/", and its name there."""
        ...

    def read(self, image_id: str, name: str) -> bytes:
        """All bytes of a file; raises OSError."""
        ...


def image_files(outputs: Root, ledger: Ledger, settings: TaskSettings) -> ImageFiles:
    """The files as the settings have them laid out."""
    if settings.pieces:
        return PackedFiles(outputs, ledger, settings.name_width)
    return FolderFiles(outputs, ledger)


class FolderFiles:
    """Each image's files in a folder of its own."""

    def __init__(self, outputs: Root, ledger: Ledger) -> None:
        self._outputs, self._ledger = outputs, ledger

    @cached_property
    def _has_packs(self) -> bool:
        return self._ledger.packs.are_there

    def sizes_of(self, image_ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """One listing of each folder; that of an image which was made for a shard since is no longer what it was."""
        wanted = list(image_ids)
        packed = self._ledger.packs.of(wanted) if self._has_packs else {}
        folders = {layout.image_folder(image_id): image_id for image_id in wanted if image_id not in packed}
        return {folders[folder]: sizes for folder, sizes in self._outputs.sizes_of(list(folders)).items()}

    def elsewhere(self, image_ids: Iterable[str]) -> frozenset[str]:
        """Those that lie in tar files."""
        return frozenset(self._ledger.packs.of(image_ids)) if self._has_packs else frozenset()

    def place(self, image_id: str, name: str) -> str:
        """`images/a.jpg/k07.png`."""
        return layout.sweep_file(image_id, name)

    def read(self, image_id: str, name: str) -> bytes:
        """All bytes of a file; raises OSError."""
        return self._outputs.read(self.place(image_id, name))


class PackedFiles:
    """The files of many images in a tar file: a shard, or a piece that waits for its shard."""

    def __init__(self, outputs: Root, ledger: Ledger, name_width: int) -> None:
        self._outputs, self._ledger, self._name_width = outputs, ledger, name_width
        self._files_in = lru_cache(_IMAGES_KEPT)(partial(files_in, outputs))

    @cached_property
    def whole(self) -> frozenset[str]:
        """The tar files that are there and as large as they were written: one listing of each of their folders."""
        files = self._ledger.packs.files()
        there = sizes_of_files(self._outputs, (one.file for one in files))
        return frozenset(one.file for one in files if there.get(one.file) == one.bytes)

    def sizes_of(self, image_ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """What was recorded of the files, of images whose tar file is there."""
        wanted = list(image_ids)
        packs = self._ledger.packs
        there = [one.image_id for one in packs.of(wanted).values() if one.file in self.whole]
        return {
            image_id: {layout.flat_name(k, self._name_width): size for k, size in flats.items()} | others
            for image_id, flats, others in packs.sizes_of(there)
        }

    def elsewhere(self, image_ids: Iterable[str]) -> frozenset[str]:
        """Those that lie in no tar file."""
        wanted = frozenset(image_ids)
        return wanted - self._ledger.packs.of(wanted).keys()

    def place(self, image_id: str, name: str) -> str:
        """`shards/000000.tar/000017.k07.png`; the name alone of an image that is in no tar file."""
        found = self._ledger.packs.of([image_id]).get(image_id)
        return name if found is None else f"{found.file}/{layout.member_name(found.key, name)}"

    def read(self, image_id: str, name: str) -> bytes:
        """All bytes of a file; raises OSError."""
        found = self._ledger.packs.of([image_id]).get(image_id)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "no outputs of the image are recorded in a tar file", image_id)
        return self.contents(found, name)

    def contents(self, image: PackedImage, name: str) -> bytes:
        """All bytes of a file of an image that lies there; raises OSError."""
        files = self._files_in(image)
        if name not in files:
            raise FileNotFoundError(errno.ENOENT, "no such file in the tar file", f"{image.file}/{name}")
        return files[name]
