"""What the input section asks for of the files and archives that are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from flatpipe.errors import ImageError, ImageIOFailed
from flatpipe.records import Failure, ImageSource, RefusedFile
from flatpipe.storage.archives.found import Fault, Member
from flatpipe.storage.archives.kinds import column_of, is_archive, kind_of, name_at, name_within
from flatpipe.storage.archives.listing import listed
from flatpipe.storage.archives.place import ArchiveFile
from flatpipe.storage.litter import PassedOver, Why, unsought
from flatpipe.storage.patterns import Patterns


@dataclass(frozen=True, slots=True)
class Asked:
    """What the selection asks for, below any folder; the rest is counted."""

    patterns: Patterns
    passed_over: PassedOver
    opens_archives: bool = True
    column: str | None = None
    # ^ of tables, the one that has the images

    def takes(self, name: str, above: str = "", *, is_numbered: bool = False) -> bool:
        """Whether a file is asked for by its name, the way to it included; `above` is what was searched already.

        What has a number alone is, unless it is excluded.
        """
        if is_numbered and not self.patterns.excludes(f"{above}{name}"):
            return True
        reasons = {unsought(part) for part in name.split("/")}
        why: Why | None = "litter" if "litter" in reasons else "hidden" if "hidden" in reasons else None
        if why != "litter" and self.patterns.match(f"{above}{name}"):
            return True
        self.passed_over.add(why or "other files", name.rpartition("/")[2])
        return False

    def opens(self, archive_id: str) -> bool:
        """Whether a file is an archive whose members are asked for."""
        return is_archive(archive_id) and self.patterns.open_archive(archive_id)

    def members(self, archive: ImageSource, root: str = "") -> Iterator[ImageSource | RefusedFile]:
        """The images in an archive, in the byte order of ids; what is wrong with it comes first, under its own id.

        The archive itself where none is to be opened.
        """
        if not self.opens_archives:
            yield archive
            return
        above = f"{archive.image_id}/"
        if not archive.stamp:
            archive = replace(archive, stamp=f"{archive.size} bytes")
            # ^ all that some web servers say: members do not have the archive's size
        try:
            for found in listed(
                ArchiveFile(archive.path, archive.stamp, root, self.column),
                kind_of(archive.image_id),
                lambda name, is_numbered: self.takes(name, above, is_numbered=is_numbered),
            ):
                yield _member(archive, found)
        except OSError as error:
            yield RefusedFile(archive, unreadable(error))


def _member(archive: ImageSource, found: Member | Fault | ImageError) -> ImageSource | RefusedFile:
    if isinstance(found, ImageError):
        return RefusedFile(archive, Failure("discover", found.error, str(found)))
    image_id = f"{archive.image_id}/{found.name}"
    if isinstance(found, Member):
        return replace(archive, image_id=image_id, size=found.size, part=found.where)
    return RefusedFile(replace(archive, image_id=image_id, size=0), Failure("discover", found.error, found.message))


def member_now(archive: ImageSource, known: ImageSource) -> ImageSource | None:
    """An image of an archive as it lies there now; None when it does not. Raises OSError."""
    name = name_within(known)
    return members_now(archive, column_of(known.part), lambda one: one == name).get(name)


def members_now(
    archive: ImageSource, column: str | None, is_wanted: Callable[[str], bool] = bool
) -> dict[str, ImageSource]:
    """The members of an archive that held an image, by name, as they lie there now; raises OSError.

    `column` is that of a table's images; of the names, none of which is empty, only those that are wanted come.
    """
    file = ArchiveFile(archive.path, archive.stamp, column=column)
    found = listed(file, kind_of(name_at(archive.path)), lambda name, _is_numbered: is_wanted(name))
    return {one.name: replace(archive, size=one.size, part=one.where) for one in found if isinstance(one, Member)}


def unreadable(error: OSError) -> Failure:
    """Why a file or folder has no images that could be named."""
    return Failure("discover", ImageIOFailed.error, f"cannot be read: {error.strerror or error}")
