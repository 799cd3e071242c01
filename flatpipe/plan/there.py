"""What is there of outputs: names and sizes, from listings of folders."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from flatpipe.layout import PICTURE_FOLDERS
from flatpipe.storage.roots import Root

_AT_ONCE = 16
# ^ folders that are listed together: the most whose names are in memory as such


class PicturesThere:
    """The report's pictures. Where no file has come to or left their folders, by the folders' dates, none is missing.

    Else each folder is listed once, when the first of its pictures is asked for: 16 bytes for each picture.
    """

    def __init__(self, outputs: Root, recorded: Mapping[str, int]) -> None:
        """`recorded` are the stamps that the folders had when all pictures were there."""
        self._outputs, self._recorded = outputs, recorded
        self._folders: dict[str, tuple[array[int], array[int]]] = {}
        # ^ by folder: hashes of the names, ascending, and the sizes of these files, in bytes

    def are_there(self, pictures: str) -> bool:
        """Whether there are all pictures of an image, given as JSON of their names and sizes; raises OSError."""
        if self._are_untouched:
            return True
        expected: dict[str, int] = json.loads(pictures)
        return all(self.size(name) == size for name, size in expected.items())

    def size(self, name: str) -> int | None:
        """The size in bytes of a picture; None when it is not there. Raises OSError."""
        folder, _, file = name.rpartition("/")
        if folder not in self._folders:
            self._list(folder)
        hashes, sizes = self._folders[folder]
        place = bisect_left(hashes, hash(file))
        return sizes[place] if place < len(hashes) and hashes[place] == hash(file) else None

    @cached_property
    def _are_untouched(self) -> bool:
        return bool(self._recorded) and self._outputs.stamps(PICTURE_FOLDERS) == self._recorded

    def _list(self, folder: str) -> None:
        """List a folder, and its neighbours with it: where each question crosses a network, they go together."""
        place = PICTURE_FOLDERS.index(folder) // _AT_ONCE * _AT_ONCE if folder in PICTURE_FOLDERS else 0
        for name, found in self._outputs.sizes_of([folder, *PICTURE_FOLDERS[place : place + _AT_ONCE]]).items():
            pairs = sorted((hash(file), size) for file, size in found.items())
            self._folders[name] = array("q", [one for one, _ in pairs]), array("q", [size for _, size in pairs])


@dataclass(frozen=True, slots=True)
class FilesThere:
    """The files of one image."""

    own: dict[str, int]
    # ^ size in bytes of each file in the image's folder
    pictures: PicturesThere

    def size(self, name: str) -> int | None:
        """The size in bytes of a file, by the name that its task gave; None when it is not there. Raises OSError."""
        return self.pictures.size(name) if "/" in name else self.own.get(name)
