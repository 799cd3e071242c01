"""The input section as a sorted stream of ImageSources; what looks like an image but may not be opened is named too."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flatpipe.errors import UnsupportedImage
from flatpipe.places import is_url, name_of_url
from flatpipe.records import Failure, ImageSource, RefusedFile
from flatpipe.storage.archives.kinds import is_archive
from flatpipe.storage.asked import Asked, unreadable
from flatpipe.storage.litter import PassedOver, is_results, unsought
from flatpipe.storage.opening import LEAVES_INPUT, NOT_A_FILE, check_regular
from flatpipe.storage.patterns import Patterns
from flatpipe.storage.remote import RemoteRoot


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of the input root are asked for."""

    root: str
    # ^ an absolute local path (folder or file) or a URL
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    follow_symlinks: bool = False
    begin: str = ""
    # ^ where the root is one of several: what its images' ids begin with among all, the id itself of a file
    opens_archives: bool = True
    # ^ False: an archive comes as the file that it is
    column: str | None = None
    # ^ of Parquet files, the one that has the images

    def patterns(self, *, of_file: bool = False) -> Patterns:
        """What is asked for by the ids below the root, or by the name of the file that it is."""
        above = self.begin.rpartition("/")[0] if of_file else self.begin
        return Patterns(self.include, self.exclude, f"{above}/" if above else "")


def discover(selection: Selection, passed_over: PassedOver | None = None) -> Iterator[ImageSource | RefusedFile]:
    """Every image asked for, in the byte order of its id, as a stream; files are not opened.

    What is passed over on the way is counted in `passed_over`: a folder, whatever it holds, and each file.
    """
    passed_over = PassedOver() if passed_over is None else passed_over
    if is_url(selection.root):
        yield from _discover_remote(selection, passed_over)
    elif Path(selection.root).is_dir():
        yield from _LocalWalk(selection, passed_over).walk()
    else:
        yield from _named_file(selection, passed_over)


def local_source(path: str) -> ImageSource:
    """The source of one local file, called by its name; raises OSError where there is none, or what is no file."""
    status = Path(path).stat()
    check_regular(status, path)
    return _source(Path(path).name, path, status)


def source_at(place: str) -> ImageSource:
    """The source of one file, local or behind a URL; raises OSError where there is none, or what is no file."""
    if not is_url(place):
        return local_source(place)
    found = RemoteRoot(place).own_file()
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place)
    return ImageSource(name_of_url(place), place, *found)


def _named_file(selection: Selection, passed_over: PassedOver) -> Iterator[ImageSource | RefusedFile]:
    """The one file that is the whole input, or the members of the archive that it is."""
    path = selection.root
    name, status = Path(path).name, Path(path).stat()
    if not stat.S_ISREG(status.st_mode):
        yield _refused(name, path, NOT_REGULAR)
    elif is_archive(name):
        yield from _asked(selection, passed_over, of_file=True).members(_source(name, path, status))
    else:
        yield _source(name, path, status)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is being searched."""

    path: str
    # ^ below the root; "" for the root
    real_parents: tuple[str, ...]
    # ^ where it really lies, and every linked folder above it
    entries: Iterator[os.DirEntry[str] | RefusedFile]
    # ^ what is left of it

    def below(self, entry: os.DirEntry[str]) -> str:
        """The path of one of its entries, below the root."""
        return f"{self.path}/{entry.name}" if self.path else entry.name


class _LocalWalk:
    def __init__(self, selection: Selection, passed_over: PassedOver) -> None:
        self._selection = selection
        self._asked = _asked(selection, passed_over)
        self._patterns = self._asked.patterns
        self._real_root = os.path.realpath(selection.root)
        self._passed_over = passed_over

    def walk(self) -> Iterator[ImageSource | RefusedFile]:
        """Images below the root; those of a folder are sorted as their whole paths would be.

        A stack of open folders, not a call for each: folders may be nested deeper than calls may.
        """
        folders = [_Folder("", (self._real_root,), self._entries(""))]
        while folders:
            entry = next(folders[-1].entries, None)
            if entry is None:
                folders.pop()
            elif isinstance(entry, RefusedFile):
                yield entry
            elif _is_folder(entry):
                folders += self._entered(entry, folders[-1])
            else:
                yield from self._taken(entry, folders[-1].below(entry))

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str] | RefusedFile]:
        """What a folder holds, sorted; a refusal where it cannot be listed."""
        path = f"{self._selection.root}/{folder}"
        try:
            with os.scandir(path) as found:
                entries = sorted(found, key=_place_in_order)
        except OSError as error:
            if not folder:
                raise
            if self._patterns.exclude_all_of(folder):
                return iter(())
            return iter([_refused(folder, path, unreadable(error))])
        if folder and is_results(entry.name for entry in entries):
            self._passed_over.add("output folders", folder)
            return iter(())
        return iter(entries)

    def _entered(self, entry: os.DirEntry[str], parent: _Folder) -> list[_Folder]:
        """The folder that an entry leads to, when it is to be searched."""
        folder, real_parents = parent.below(entry), parent.real_parents
        if why := unsought(entry.name):
            self._passed_over.add(why, entry.name)
            return []
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            if not self._selection.follow_symlinks:
                self._passed_over.add("linked folders", entry.name)
                return []
            if real in real_parents:
                return []
            real_parents = (*real_parents, real)
        return [_Folder(folder, real_parents, self._entries(folder))]

    def _taken(self, entry: os.DirEntry[str], image_id: str) -> Iterator[ImageSource | RefusedFile]:
        """The image that an entry is, when it is asked for."""
        why = unsought(entry.name)
        if why is None and self._asked.opens(image_id):
            found = self._look_at(entry, image_id)
            root = "" if self._selection.follow_symlinks else self._selection.root
            yield from [found] if isinstance(found, RefusedFile) else self._asked.members(found, root)
        elif why != "litter" and self._patterns.match(image_id):
            yield self._look_at(entry, image_id)
        else:
            self._passed_over.add(why or "other files", entry.name)

    def _look_at(self, entry: os.DirEntry[str], image_id: str) -> ImageSource | RefusedFile:
        if entry.is_symlink() and not self._selection.follow_symlinks:
            real = os.path.realpath(entry.path)
            if os.path.commonpath([real, self._real_root]) != self._real_root:
                return _refused(image_id, entry.path, _LEAVES_INPUT)
        try:
            status = entry.stat()
        except OSError as error:
            return _refused(image_id, entry.path, unreadable(error))
        if not stat.S_ISREG(status.st_mode):
            return _refused(image_id, entry.path, NOT_REGULAR)
        return _source(image_id, entry.path, status)


_LEAVES_INPUT = Failure("discover", UnsupportedImage.error, LEAVES_INPUT)
NOT_REGULAR = Failure("discover", UnsupportedImage.error, NOT_A_FILE)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
        # ^ a link that leads to itself: reported when its target is asked for


def _place_in_order(entry: os.DirEntry[str]) -> bytes:
    """What sorts entries as the ids of all that they hold would be: archives hold images as folders do."""
    return os.fsencode(entry.name + "/" * (is_archive(entry.name) or _is_folder(entry)))


def _source(image_id: str, path: str, status: os.stat_result) -> ImageSource:
    return ImageSource(image_id, path, status.st_size, stamp_of(status))


def stamp_of(status: os.stat_result) -> str:
    """What changes with a local file."""
    return f"{status.st_mtime_ns}-{status.st_ctime_ns}"
    # ^ ctime cannot be set back: a replaced file is noticed even when its date and size are those of the old one


def _refused(image_id: str, path: str, failure: Failure) -> RefusedFile:
    return RefusedFile(ImageSource(image_id, path, 0, ""), failure)


def _discover_remote(selection: Selection, passed_over: PassedOver) -> Iterator[ImageSource | RefusedFile]:
    """The file that a URL names, or those below it.

    The listing is held whole, because stores list in pages of their own order. Raises OSError for an archive that is
    not there, too.
    """
    root, name = RemoteRoot(selection.root), name_of_url(selection.root)
    asked = _asked(selection, passed_over, of_file=True)
    if (is_archive(name) or asked.patterns.match(name)) and (file := root.own_file()) is not None:
        source = ImageSource(name, root.place, *file)
        yield from asked.members(source) if is_archive(name) else [source]
        return
    asked, files = _asked(selection, passed_over), root.listing()
    if is_archive(name) and not files:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), root.place)
        # ^ what is not there is no archive without images, whose outputs might be deleted
    for image_id, size, stamp in sorted(files, key=lambda file: _key_in_order(file[0])):
        source = ImageSource(image_id, f"{root.place}/{image_id}", size, stamp)
        if not any(map(unsought, image_id.split("/"))) and asked.opens(image_id):
            yield from asked.members(source)
        elif asked.takes(image_id):
            yield source


def _asked(selection: Selection, passed_over: PassedOver, *, of_file: bool = False) -> Asked:
    return Asked(selection.patterns(of_file=of_file), passed_over, selection.opens_archives, selection.column)


def _key_in_order(image_id: str) -> bytes:
    return (image_id + "/" * is_archive(image_id)).encode()
