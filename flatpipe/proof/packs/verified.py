"""Shards and pieces against their sha256 in the ledger; of those that differ, the images in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.packs.rows import PackFile
from flatpipe.plan.image_files import PackedFiles
from flatpipe.proof.outputs import Difference, Kind, RecordedImage, kind_of
from flatpipe.records import PackedImage
from flatpipe.storage.packs.blocks import sha256_of
from flatpipe.storage.roots import Root


class VerifiedPacks:
    """All tar files of outputs, looked at once, and which of them are as they were written."""

    def __init__(self, ledger: Ledger, outputs: Root, name_width: int) -> None:
        self._ledger, self._outputs = ledger, outputs
        self._files = PackedFiles(outputs, ledger, name_width)
        self._unsound: dict[str, dict[str, PackedImage]] = {}
        # ^ by file: its images by id, of those whose bytes must be looked at one by one
        self._gone: set[str] = set()

    def look(self, jobs: int) -> Iterator[Difference]:
        """The tar files that differ, by name; `jobs` threads read and digest."""
        files, whole = self._ledger.packs.files(), self._files.whole
        # ^ the ledger is asked by this thread alone
        with ThreadPoolExecutor(jobs) as pool:
            for pack, kind in zip(files, pool.map(lambda one: self._kind(one, whole), files), strict=True):
                if kind in ("missing", "unreadable"):
                    self._gone.add(pack.file)
                elif kind is not None or not pack.sha256:
                    held = self._ledger.packs.within(pack.file)
                    self._unsound[pack.file] = {image.image_id: image for image in held}
                if kind is not None:
                    yield Difference("", kind, pack.file)

    def differences(self, image: RecordedImage) -> list[Difference]:
        """What differs of an image's files: nothing where its tar file is sound, or is told as gone itself."""
        packed = self._unsound.get(image.pack, {}).get(image.source.image_id)
        if packed is None or image.pack in self._gone:
            return []
        if kind_of(partial(self._range, packed), packed.sha256) is None:
            return []
        found = [
            Difference(image.source.image_id, kind, file.name, file.k)
            for file in image.files
            if (kind := kind_of(partial(self._files.contents, packed, file.own), file.sha256)) is not None
        ]
        return found or [Difference(image.source.image_id, "changed", f"{packed.file}/{packed.key}")]
        # ^ what stands between the files: their names, their sizes, the padding

    def _range(self, image: PackedImage) -> bytes:
        return self._outputs.read_range(image.file, image.start, image.bytes)

    def _kind(self, pack: PackFile, whole: Collection[str]) -> Kind | None:
        """How a tar file differs; of one that was found changed before only its size is known."""
        try:
            if pack.file not in whole:
                return "changed" if self._outputs.read_range(pack.file, 0, 1) else "missing"
            digest = sha256_of(self._outputs, pack.file, pack.bytes) if pack.sha256 else ""
        except FileNotFoundError:
            return "missing"
        except OSError:
            return "unreadable"
        return None if digest == pack.sha256 else "changed"


def doubt(ledger: Ledger, difference: Difference) -> None:
    """Note of a tar file that it is to be packed anew, or all its images made anew where it is gone."""
    if difference.kind == "changed":
        ledger.packs.doubt(difference.name)
    else:
        ledger.packs.forget([difference.name])
