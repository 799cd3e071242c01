"""Which names a file system takes for one: found out with a file whose name is asked for in other spellings."""

from __future__ import annotations

import contextlib
import errno
import os
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flatpipe.layout import PARTIAL, partial_name
from flatpipe.storage.partial import created

_LETTER = "\N{LATIN SMALL LETTER E WITH ACUTE}"
PROBE_END = f"{_LETTER}."
# ^ of a probe's name: a letter that Unicode writes in two ways, and a dot, which Windows drops at the end of names
_REFUSED = (errno.EINVAL, errno.EILSEQ, errno.ENOENT)
# ^ what file systems say of a name that cannot be written in their characters


@dataclass(frozen=True, slots=True)
class NameRules:
    """What of a name does not count."""

    case: bool = False
    # ^ as on Windows and macOS, exFAT, most network drives
    spelling: bool = False
    # ^ composed and decomposed letters are one, as on macOS
    dots: bool = False
    # ^ those at the end of names are dropped, as on Windows

    @property
    def are_exact(self) -> bool:
        """Whether every name is a name of its own."""
        return not (self.case or self.spelling or self.dots)

    def key(self, name: str) -> str:
        """What is equal for names, "/" between their parts, that may be one; of names that are not, now and then too.

        Systems differ in which letters are of one case, so all are taken together that Unicode relates in any way.
        """
        if self.dots:
            name = "/".join(part.rstrip(". ") or part for part in name.split("/"))
        if self.spelling:
            name = unicodedata.normalize("NFD", name)
        if self.case:
            name = name.upper().casefold()
        return unicodedata.normalize("NFD", name) if self.spelling else name


EXACT = NameRules()


def local_rules(folder: str) -> NameRules:
    """The rules of a local folder, or of the nearest one above it that is there; raises OSError.

    A run that writes there meanwhile is not disturbed, and nothing is left.
    """
    path = Path(folder)
    there = next(above for above in (path, *path.parents) if above.is_dir())
    with _waiting(there) as waiting:
        return found_rules(waiting, lambda path: created(path).close(), os.path.lexists, os.unlink)


def found_rules(
    folder: str,
    make: Callable[[str], object],
    is_there: Callable[[str], bool],
    remove: Callable[[str], object],
) -> NameRules:
    """The rules of a folder in which an empty file can be made, asked for, and removed again; raises OSError."""
    plain = partial_name()
    made = f"{folder}/{plain}{PROBE_END}"
    try:
        make(made)
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        made = f"{folder}/{plain}"
        make(made)
    try:
        end = made.removeprefix(f"{folder}/{plain}")
        return NameRules(
            case=is_there(f"{folder}/{plain.upper()}{end}"),
            spelling=bool(end) and is_there(f"{folder}/{plain}{unicodedata.normalize('NFD', end)}"),
            dots=bool(end) and is_there(f"{folder}/{plain}{end.rstrip('.')}"),
        )
    finally:
        remove(made)


@contextlib.contextmanager
def _waiting(folder: Path) -> Iterator[str]:
    """The folder's place for partial files; it goes again when it was not there, and is empty."""
    waiting = folder / PARTIAL
    was_there = waiting.is_dir()
    try:
        yield str(waiting)
    finally:
        if not was_there:
            with contextlib.suppress(OSError):
                waiting.rmdir()
